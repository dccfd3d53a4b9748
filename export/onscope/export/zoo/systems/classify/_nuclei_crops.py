"""Small crops around nuclei, of the courses of cells, on pixels twice as large."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _courses
from ._courses import filmed

Array = npt.NDArray[Any]
PIXEL_UM, SIDE = 2 * _courses.PIXEL_UM, _courses.SIDE // 2


def crop_of(light: Array, rng: np.random.Generator, peak: float | None = None) -> npt.NDArray[np.uint16]:
    """One time of a course (y, x) behind a random camera, on pixels of `PIXEL_UM`: counts (SIDE, SIDE)."""
    wide = light.astype(np.float32).reshape(SIDE, 2, SIDE, 2).mean(axis=(1, 3))
    return np.asarray(filmed(wide[None], rng, peak)[0])
