"""Smaller versions of large images, so that a viewer need not read all pixels to show all of the field.

Multiscale images of OME-Zarr: https://ngff.openmicroscopy.org/0.5/#multiscale-md
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 1024
"""Pixels that the smallest level has in y and x at most."""
_AREA = (np.uint8, np.uint16, np.float32)
"""What cv2's INTER_AREA takes the mean of 2x2 pixels of, in integers rounded half up (or, of float32, not rounded)."""


def level_count(height: int, width: int) -> int:
    """Levels of an image of this size, the full one included: halved until y and x are at most SIDE."""
    levels = 1
    while max(height, width) > SIDE:
        height, width, levels = -(-height // 2), -(-width // 2), levels + 1
    return levels


def pyramid(pixels: npt.NDArray[Any], *, labels: bool = False) -> list[npt.NDArray[Any]]:
    """The image (y, x) or (y, x, samples) itself, and each smaller level: of its own shape rule and dtype.

    Each level has the mean of 2x2 pixels of the one before; of labels (names, no intensities) the first of them. The
    last row and column of an odd size stand for themselves.
    """
    levels = [pixels]
    for _ in range(level_count(*pixels.shape[:2]) - 1):
        levels.append(nearest(levels[-1]) if labels else halved(levels[-1]))
    return levels


def nearest(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Every second pixel of every second row."""
    return np.ascontiguousarray(pixels[::2, ::2])


def halved(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Means of 2x2 pixels, (y, x) or (y, x, samples) of any number; of integers rounded half up."""
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        around = ((0, height % 2), (0, width % 2), *[(0, 0)] * (pixels.ndim - 2))
        pixels = np.pad(pixels, around, mode="edge")
        height, width = pixels.shape[:2]
    if pixels.dtype.type in _AREA and (pixels.ndim == 2 or pixels.shape[2] <= 4):
        half = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        return half.reshape(height // 2, width // 2, *pixels.shape[2:])
    return _mean(pixels)


def _mean(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same by NumPy, of every dtype; integers of 32 bits and more are added in 64."""
    kind = pixels.dtype.kind
    wide = {"b": np.uint8, "u": np.uint64, "i": np.int64}.get(kind, np.promote_types(pixels.dtype, np.float32))
    total = pixels[::2, ::2].astype(wide)
    for y, x in ((0, 1), (1, 0), (1, 1)):
        total += pixels[y::2, x::2]
    if kind == "f":
        return (total * np.float32(0.25)).astype(pixels.dtype)
    return ((total + 2) >> 2).astype(pixels.dtype)
