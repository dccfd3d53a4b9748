"""Systems that read the bands of a spectral camera and are shown with seeded weights: all that is the same of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

BANDS = 16
PIPELINE = """schema: 1
stages:
  classes: {package: "{package}"}
window: {length: 16, along: c}
"""
SOURCE = "specimen:dividing-cells@membranes"


def of_spectra(
    key: str,
    network: Callable[[], nn.Module],
    description: str,
    gives: str,
    cite: Sequence[Mapping[str, str]],
    *,
    classes: Sequence[str],
    output_axes: str = "bcyx",
) -> System:
    """A system of `BANDS` frames, one per band, in; classes of the whole (output axes "bc") or of its pixels out."""

    def choices() -> Choices:
        frames = np.random.default_rng(1).poisson(200, (2, BANDS, 48, 64)).astype(np.uint16)
        return Choices(
            example=frames[0][None],
            output_axes=(output_axes,),
            output_names=("classes",),
            channel_names=[f"band {number + 1}" for number in range(BANDS)],
            pre=(percentiles(1, 99.8, ("channel", "y", "x")), cast("float32")),
            minimum=32,
            step=1,
            sizes=[(33, 47), (64, 32)],
            frames=[frames[1]],
        )

    return System(
        key=key,
        network=network,
        choices=choices,
        words=Words(
            name=key,
            folder=key,
            description=description,
            takes_and_gives=f"{BANDS} uint16 bands of a spectral camera as channels; {gives}.",
            recipe="Seeded weights.",
            limits="Not trained: its answers mean nothing.",
            cite=tuple(cite),
            tags=("classification", "hyperspectral", "2d"),
            settings={"decode": "classes", "classes": list(classes)},
        ),
        live=Live(PIPELINE, SOURCE, frames=4 * BANDS),
        cost_shape=(256, 256),
        window=BANDS,
    )
