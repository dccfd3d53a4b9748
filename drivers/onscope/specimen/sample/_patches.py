"""Drawn pieces of single cells, and how they add up to an image.

A piece is drawn once per view and step; what changes with every exposure (how much dye is left) is a factor on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import View

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Some pixels of a view: `pixels` float32, the first at (`top`, `left`), of the cell in row `row` of the herd."""

    row: int
    top: int
    left: int
    pixels: Array

    def window(self, image: Array) -> Array:
        """The part of an image of the view that the patch covers."""
        height, width = self.pixels.shape
        return np.asarray(image[self.top : self.top + height, self.left : self.left + width])


def total(view: View, patches: Sequence[Patch], factor: Array) -> npt.NDArray[np.float32]:
    """The sum of all patches, each times the `factor` of its row, float32 of the view's shape."""
    image = np.zeros(view.shape, dtype=np.float32)
    add(image, patches, factor)
    return image


def add(image: Array, patches: Sequence[Patch], factor: Array) -> None:
    """Adds patches, each times the `factor` of its row, to an image of their view."""
    for patch in patches:
        gain = float(factor[patch.row])
        if gain:
            window = patch.window(image)
            window += patch.pixels * np.float32(gain)


def numbered(view: View, patches: Sequence[Patch], level: float, ids: Array) -> npt.NDArray[np.int32]:
    """The id of the row whose patch is above `level`, 0 where none is: int32 of the view's shape."""
    image = np.zeros(view.shape, dtype=np.int32)
    for patch in patches:
        np.copyto(patch.window(image), ids[patch.row], where=patch.pixels > level)
    return image


def boxes(view: View, y_um: Array, x_um: Array, half_y_um: Array, half_x_um: Array) -> Array:
    """Pixel boxes (N, 4) top, left, bottom, right (exclusive) around points, cut by the view.

    A box beyond the view is empty (bottom <= top or right <= left).
    """
    row, column = view.pixels(y_um, x_um)
    free = np.stack(
        [
            np.floor(row - half_y_um / view.pixel_um),
            np.floor(column - half_x_um / view.pixel_um),
            np.ceil(row + half_y_um / view.pixel_um) + 1,
            np.ceil(column + half_x_um / view.pixel_um) + 1,
        ],
        axis=1,
    ).astype(np.int64)
    limit = np.array([view.shape[0], view.shape[1]] * 2)
    return np.asarray(np.clip(free, 0, limit))
