"""Systems that tell pixels apart and are shown with seeded weights: all that is the same of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

PIPELINE = """schema: 1
stages:
  classes: {package: "{package}"}
"""
CLASSES = ("background", "cell")
SOURCE = "specimen:dividing-cells@membranes"


def pixels_told_apart(
    key: str,
    network: Callable[[], nn.Module],
    description: str,
    cite: Mapping[str, str],
    *,
    tags: tuple[str, ...],
    minimum: int = 32,
    step: int = 1,
    settings: Mapping[str, Any] | None = None,
    name: str = "",
) -> System:
    """A system of one frame in and a class for each of its pixels out, with the decoder `classes`.

    `minimum` and `step` say which heights and widths the network takes, `name` is the
    package's where the key is too short for one.
    """
    side = minimum + 2 * step if step > 1 else minimum + 16

    def choices() -> Choices:
        frames = np.random.default_rng(1).poisson(200, (2, side, side + step)).astype(np.uint16)
        return Choices(
            example=frames[0][None, None],
            pre=(percentiles(1, 99.8, ("y", "x")), cast("float32")),
            output_names=("classes",),
            minimum=minimum,
            step=step,
            sizes=[(minimum, minimum + step), (minimum + 3 * step, minimum + step)],
            frames=[frames[1]],
        )

    return System(
        key=key,
        network=network,
        choices=choices,
        words=Words(
            name=name or key,
            folder=key,
            description=description,
            takes_and_gives="One uint16 frame, scaled by its percentiles 1 and 99.8; a class for each pixel.",
            recipe="Seeded weights.",
            limits="Not trained: its answers mean nothing.",
            cite=(cite,),
            tags=("semantic-segmentation", "2d", *tags),
            settings={"decode": "classes", "classes": list(CLASSES), **(settings or {})},
        ),
        live=Live(PIPELINE, SOURCE, frames=8),
    )
