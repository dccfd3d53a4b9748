"""Put answers of tiles together, cut in the middle of their overlap or blended over it; and how large seams are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

NEAR = 8
"""Pixels on either side of a seam that its error is looked for in."""


def cuts(begins: Sequence[int], tile: int) -> list[tuple[int, int]]:
    """For each of the tiles that begin there, the [first, last) of the answer that it gives: up to mid-overlap."""
    middles = [(before + tile + after) // 2 for before, after in pairwise(begins)]
    return list(zip([begins[0], *middles], [*middles, begins[-1] + tile], strict=True))


def ramps(begins: Sequence[int], tile: int) -> list[Array]:
    """For each tile the weights (float32, `tile` long) of a linear ramp over its overlaps; their sum is 1."""
    raw = []
    for number, begin in enumerate(begins):
        place = np.arange(tile) + 0.5
        weight = np.ones(tile)
        if number and begins[number - 1] + tile > begin:
            weight = np.minimum(weight, place / (begins[number - 1] + tile - begin))
        if number + 1 < len(begins) and begin + tile > begins[number + 1]:
            weight = np.minimum(weight, (tile - place) / (begin + tile - begins[number + 1]))
        raw.append(weight)
    total = np.zeros(begins[-1] + tile)
    for begin, weight in zip(begins, raw, strict=True):
        total[begin : begin + tile] += weight
    pairs = zip(begins, raw, strict=True)
    return [(weight / total[begin : begin + tile]).astype(np.float32) for begin, weight in pairs]


class Joined:
    """One answer of a whole frame in the making: `axes` are its dimensions (y, x), `begins` where tiles begin there.

    With `blended`, tiles are weighted over their overlaps, else each gives the part up to the middle of them.
    """

    def __init__(
        self,
        tile: Array,
        axes: tuple[int, int],
        begins: tuple[Sequence[int], Sequence[int]],
        blended: bool,
    ) -> None:
        shape = list(tile.shape)
        for dim, first in zip(axes, begins, strict=True):
            shape[dim] = first[-1] + tile.shape[dim]
        self.array: Array = np.zeros(shape, tile.dtype)
        self.begins = begins
        self._axes, self._blended = axes, blended
        self._sizes = tuple(tile.shape[dim] for dim in axes)
        self._cuts = tuple(cuts(first, size) for first, size in zip(begins, self._sizes, strict=True))
        self._ramps = tuple(
            ramps(first, size) if blended else [] for first, size in zip(begins, self._sizes, strict=True)
        )

    def clear(self) -> None:
        """Before the first tile of the next frame."""
        if self._blended:
            self.array.fill(0)

    def put(self, tile: Array, row: int, column: int) -> None:
        """The answer of the tile in this row and column."""
        to, source = [slice(None)] * tile.ndim, [slice(None)] * tile.ndim
        weights: list[Array] = []
        for place, number in enumerate((row, column)):
            dim, begin = self._axes[place], self.begins[place][number]
            first, last = (begin, begin + self._sizes[place]) if self._blended else self._cuts[place][number]
            to[dim], source[dim] = slice(first, last), slice(first - begin, last - begin)
            if self._blended:
                along = [1] * tile.ndim
                along[dim] = -1
                weights.append(self._ramps[place][number].reshape(along))
        if self._blended:
            self.array[tuple(to)] += tile * (weights[0] * weights[1])
        else:
            self.array[tuple(to)] = tile[tuple(source)]

    def seams(self) -> list[tuple[int, int]]:
        """(dimension, index) of every line where one tile ends and the next one begins."""
        return [(dim, last) for dim, parts in zip(self._axes, self._cuts, strict=True) for _, last in parts[:-1]]


def seam_error(whole: Array, tiled: Array, seams: Sequence[tuple[int, int]], near: int = NEAR) -> float:
    """The largest difference within `near` pixels of a seam, as a part of the range of the whole frame's answer.

    `seams` are (dimension, index), as `Joined.seams` gives them; 0 without any. An answer that is the same everywhere
    has the range 1. NaN where only one of the two is counts as 1.
    """
    low, high = float(np.nanmin(whole)), float(np.nanmax(whole))
    largest = 0.0
    for dim, index in seams:
        at = [slice(None)] * whole.ndim
        at[dim] = slice(max(index - near, 0), index + near)
        one, other = whole[tuple(at)].astype(np.float64), tiled[tuple(at)].astype(np.float64)
        if not np.array_equal(np.isnan(one), np.isnan(other)):
            return 1.0
        largest = max(largest, float(np.nanmax(np.abs(one - other), initial=0.0)))
    return largest / ((high - low) or 1.0)
