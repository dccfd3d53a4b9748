"""Crops, turned and mirrored: what makes many examples of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def crop(image: Array, side: int, rng: np.random.Generator) -> Array:
    """A square of `side` pixels out of (..., y, x), at a random place."""
    y, x = (int(rng.integers(size - side + 1)) for size in image.shape[-2:])
    return image[..., y : y + side, x : x + side]


def turned(image: Array, way: int) -> Array:
    """(..., y, x) turned by `way` % 4 quarters, and from 4 on mirrored before; a copy with rows in order."""
    mirrored = image[..., ::-1] if way >= 4 else image
    return np.ascontiguousarray(np.rot90(mirrored, way % 4, axes=(-2, -1)))
