"""The frames that the packages for beads are exported with: raw ones, or what `care-beads` makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ._quality import onnx_runner
from ._scenes import draw_demo
from ._texts import WORDS

Array = npt.NDArray[Any]
SIZES = [(16, 17), (63, 96), (131, 77)]
EXAMPLE_SHAPE, EXAMPLE_SEED = (64, 96), 20_000_000
PROVING_SHAPE, PROVING_SEEDS = (192, 256), range(EXAMPLE_SEED + 1, EXAMPLE_SEED + 4)
"""Further frames that the export is proven on, which the picture shows too."""


def exported_with(name: str, packages: Path) -> Mapping[str, Any]:
    """`example`, `frames` and `sizes` for the network `name` of `WORDS`; `packages` has the folder of `care-beads`."""
    return {
        "example": _frame(name, packages, EXAMPLE_SEED, EXAMPLE_SHAPE)[None, None],
        "frames": [_frame(name, packages, seed, PROVING_SHAPE) for seed in PROVING_SEEDS],
        "sizes": SIZES,
    }


def _frame(name: str, packages: Path, seed: int, shape: tuple[int, int]) -> Array:
    """What the network is given of a scene: the raw frame, or the denoised one."""
    frame = draw_demo(seed, shape).frame
    if name == "care":
        return frame
    return np.ascontiguousarray(onnx_runner(packages / WORDS["care"].folder / "weights.onnx", 1)(frame))
