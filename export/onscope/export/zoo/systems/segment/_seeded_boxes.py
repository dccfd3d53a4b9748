"""Systems that find objects one by one and are shown with seeded weights: all that is the same of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, linear, percentiles

from ..._texts import Words
from .._system import Live, System

if TYPE_CHECKING:
    from torch import nn

SIDE = 256
"""Of the live frames, which the label image of masks is as large as."""
CLASSES, REGIONS, DETECTIONS = 2, 50, 20
NUMBERS: Mapping[str, Any] = {
    "classes": CLASSES, "inputs": 1, "depth": 18, "width": 8, "features": 16, "hidden": 32,
    "sizes": (8, 16, 32, 64, 128), "regions": REGIONS, "detections": DETECTIONS,
}  # fmt: skip
"""Of both networks: an eighth of a ResNet-18's features, and a pyramid of a sixteenth of the published ones."""
COLUMNS = ("y0", "x0", "y1", "x1", "class", "score")
"""What a candidate's numbers begin with."""
DIM = 0.06
"""Of frames between 0 and 1: seeded weights answer brighter ones with logits of tens, whose scores are all 1, and which
of two equal candidates goes first hangs on the last digit."""
PIPELINE = """schema: 1
stages:
  objects: {package: "{package}"}
"""


def objects_told_apart(
    key: str,
    network: Callable[[], nn.Module],
    description: str,
    answer: str,
    cite: tuple[Mapping[str, str], ...],
    *,
    tags: tuple[str, ...],
    settings: Mapping[str, Any] | None = None,
    fixed: bool = False,
) -> System:
    """A system of one frame in and a table of candidates out, with the decoder `boxes`; `answer` says what comes.

    With `fixed` the network takes frames of SIDE x SIDE alone.
    """

    def choices() -> Choices:
        shape = (SIDE, SIDE) if fixed else (64, 80)
        frames = _frames(shape)
        return Choices(
            example=frames[0][None, None],
            pre=(percentiles(1, 99.8, ("y", "x")), linear(DIM, 0.0), cast("float32")),
            output_axes=("bic",),
            output_names=("objects",),
            fixed=fixed,
            minimum=None if fixed else 32,
            sizes=[] if fixed else [(33, 47), (96, 64)],
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
            takes_and_gives=f"One uint16 frame, scaled so that its percentiles 1 and 99.8 become 0 and {DIM}. {answer}",
            recipe="Seeded weights.",
            limits="Not trained: its answers mean nothing.",
            cite=cite,
            tags=("detection", "2d", *tags),
            settings={"decode": "boxes", "columns": list(COLUMNS), "threshold": 0.05, **(settings or {})},
        ),
        live=Live(PIPELINE, f"specimen:dividing-cells@nuclei,size={SIDE}", frames=8),
        cost_shape=(SIDE, SIDE),
    )


def _frames(shape: tuple[int, int]) -> npt.NDArray[np.uint16]:
    """Two frames, (2, y, x), of squares that differ: in noise alone all candidates are alike."""
    random, (y, x) = np.random.default_rng(1), shape
    light = np.kron(random.uniform(50, 400, (2, -(-y // 8), -(-x // 8))), np.ones((8, 8)))[:, :y, :x]
    return random.poisson(light).astype(np.uint16)
