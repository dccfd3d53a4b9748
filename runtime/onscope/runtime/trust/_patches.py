"""Where is looked: square patches, evenly spread, so that a look costs the same on frames of any size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[Any]
Float = npt.NDArray[np.float32]
SIDE = 64
"""Of a patch, in raw pixels; frames that are smaller are not looked at."""
MOST = 6
"""Patches along y and along x: 36 of them hold the pixels of a frame of 384 x 384."""


@dataclass(frozen=True, slots=True)
class Patches:
    """The patches of frames of one shape (y, x); `corners` are their first rows and columns."""

    shape: tuple[int, int]
    corners: tuple[tuple[int, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        rows, columns = (_spread(size) for size in self.shape)
        object.__setattr__(self, "corners", tuple((row, column) for row in rows for column in columns))

    def of(self, image: Image) -> Float:
        """The patches one below the other, float32 (n * SIDE, SIDE), of a raw frame or of an answer on its grid.

        An answer with k times the pixels is brought to the frame's grid by the mean of k x k pixels (with another
        ratio of sizes by OpenCV's area interpolation). Raises ValueError for images that do not cover the same field.
        """
        tall, wide = self.shape
        high, broad = image.shape[:2]
        if image.ndim != 2 or abs(high * wide - broad * tall) > max(high, broad, wide, tall):
            raise ValueError(f"found an image {image.shape}, expected one of the field of a frame {self.shape}")
        times = high // tall
        if (high, broad) != (times * tall, times * wide):
            image, times = area(image, (tall, wide)), 1
        found = np.empty((len(self.corners) * SIDE, SIDE), np.float32)
        for place, (row, column) in enumerate(self.corners):
            part = image[times * row : times * (row + SIDE), times * column : times * (column + SIDE)]
            found[place * SIDE : (place + 1) * SIDE] = part if times == 1 else area(part, (SIDE, SIDE))
        return found


def _spread(size: int) -> list[int]:
    return (
        [int(start) for start in np.linspace(0, size - SIDE, min(MOST, size // SIDE)).round()] if size >= SIDE else []
    )


def cut(patches: Float) -> Float:
    """Patches one below the other as (n, SIDE, SIDE), the same memory."""
    return patches.reshape(-1, SIDE, SIDE)


def halved(patches: Float) -> Float:
    """Means of 2 x 2 pixels; patches stay apart, since their sides are even."""
    return area(patches, (patches.shape[0] // 2, patches.shape[1] // 2))


def area(image: Image, shape: tuple[int, int]) -> Float:
    """The image in another size (y, x) by the means of the areas that its pixels cover, float32."""
    found = cv2.resize(image.astype(np.float32, copy=False), shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(found, np.float32)
