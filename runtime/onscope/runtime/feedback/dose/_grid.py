"""Doses over the stage plane, in cells; only blocks of cells that were lit take memory.

A cell holds a bound of what any place in it was given: all of the dose of every exposure that touched it. With cells as
fine as the light's edges it is the dose itself; it is never less.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ._light import Lit, Pattern, Square

SIDE = 32
"""Cells along a block's side."""
MOST = 2**24
"""Cells that one exposure may touch."""
EDGE = 1e-9
"""Of a cell: what an exposure overlaps by less is not touched."""

Floats = npt.NDArray[np.float64]


class Patch(NamedTuple):
    """Cells from (`top`, `left`) on that are given `j_cm2`: all of `rows` x `columns`, or those of `lit` (bool)."""

    top: int
    left: int
    rows: int
    columns: int
    j_cm2: float
    lit: npt.NDArray[np.bool_] | None = None


def patch_of(part: Lit, cell_um: float) -> Patch:
    """The cells that an exposure touches; raises ValueError where they are too many."""
    if isinstance(part, Square):
        half = part.side_um / 2
        top, bottom = _between(part.y_um - half, part.y_um + half, cell_um)
        left, right = _between(part.x_um - half, part.x_um + half, cell_um)
        _few((bottom - top) * (right - left), part)
        return Patch(top, left, bottom - top, right - left, part.j_cm2)
    return _pattern(part, cell_um)


def _pattern(part: Pattern, cell_um: float) -> Patch:
    lit = part.lit
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    if not len(rows):
        return Patch(0, 0, 0, 0, part.j_cm2)
    lit = lit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    corner_y = part.y_um + (rows[0] - part.lit.shape[0] / 2) * part.pixel_um
    corner_x = part.x_um + (columns[0] - part.lit.shape[1] / 2) * part.pixel_um
    top, lit = _coarser(lit, corner_y, part, cell_um)
    left, turned = _coarser(lit.T, corner_x, part, cell_um)
    return Patch(top, left, turned.shape[1], turned.shape[0], part.j_cm2, np.ascontiguousarray(turned.T))


def _coarser(
    lit: npt.NDArray[np.bool_], corner_um: float, part: Pattern, cell_um: float
) -> tuple[int, npt.NDArray[np.bool_]]:
    """Rows of pixels as rows of cells: the first cell, and whether any pixel that touches each is lit."""
    edges = corner_um + np.arange(len(lit) + 1) * part.pixel_um
    first = np.floor(edges[:-1] / cell_um + EDGE)
    last = np.maximum(np.ceil(edges[1:] / cell_um - EDGE) - 1, first)
    top, bottom = first[0], last[-1]
    _few((bottom - top + 1) * lit.shape[1], part)
    cells = np.arange(top, bottom + 1)
    begins, ends = np.searchsorted(last, cells, "left"), np.searchsorted(first, cells, "right")
    return int(top), np.stack([lit[begin:end].any(axis=0) for begin, end in zip(begins, ends, strict=True)])


def _between(low_um: float, high_um: float, cell_um: float) -> tuple[int, int]:
    low, high = low_um / cell_um, high_um / cell_um
    if not (abs(low) < 2**31 and abs(high) < 2**31):
        raise ValueError(f"found light at {low_um} um of the stage, expected a place on a microscope")
    first = math.floor(low + EDGE)
    return first, max(math.ceil(high - EDGE), first + 1)


def _few(cells: float, part: Lit) -> None:
    if not cells <= MOST:
        raise ValueError(f"found light on {cells:.0f} cells at ({part.x_um}, {part.y_um}) um, expected at most {MOST}")


class Grid:
    """`blocks`: arrays of SIDE x SIDE cells (y, x; J/cm2) by their place in blocks (y, x)."""

    def __init__(self) -> None:
        self.blocks: dict[tuple[int, int], Floats] = {}

    def add(self, patch: Patch) -> None:
        """Book it."""
        for key, here, there in _spans(patch):
            block = self.blocks.get(key)
            if block is None:
                block = self.blocks[key] = np.zeros((SIDE, SIDE))
            block[here] += patch.j_cm2 if patch.lit is None else patch.j_cm2 * patch.lit[there]

    def peak(self, patch: Patch) -> float:
        """The highest dose so far of the cells of a patch; 0 where none was lit."""
        most = 0.0
        for key, here, there in _spans(patch):
            block = self.blocks.get(key)
            if block is not None:
                part = block[here]
                most = max(most, float((part if patch.lit is None else part * patch.lit[there]).max()))
        return most

    def peak_with(self, patches: list[Patch]) -> float:
        """The highest dose that these would bring any cell of theirs to, added up; 0 where they are dark."""
        if len(patches) == 1:
            patch = patches[0]
            return self.peak(patch) + patch.j_cm2 if patch.rows else 0.0
        added = Grid()
        for patch in patches:
            added.add(patch)
        most = 0.0
        for key, more in added.blocks.items():
            block = self.blocks.get(key)
            most = max(most, float((more if block is None else np.where(more > 0, block + more, 0.0)).max()))
        return most

    def at(self, row: int, column: int) -> float:
        """The dose of one cell."""
        block = self.blocks.get((row // SIDE, column // SIDE))
        return 0.0 if block is None else float(block[row % SIDE, column % SIDE])


def _spans(patch: Patch) -> Iterator[tuple[tuple[int, int], tuple[slice, slice], tuple[slice, slice]]]:
    """Block by block: its place, the patch's cells in it, and these in the patch."""
    bottom, right = patch.top + patch.rows, patch.left + patch.columns
    for y in range(patch.top // SIDE, (bottom - 1) // SIDE + 1 if patch.rows else patch.top // SIDE):
        y0, y1 = max(patch.top, y * SIDE), min(bottom, (y + 1) * SIDE)
        for x in range(patch.left // SIDE, (right - 1) // SIDE + 1):
            x0, x1 = max(patch.left, x * SIDE), min(right, (x + 1) * SIDE)
            here = slice(y0 - y * SIDE, y1 - y * SIDE), slice(x0 - x * SIDE, x1 - x * SIDE)
            yield (y, x), here, (slice(y0 - patch.top, y1 - patch.top), slice(x0 - patch.left, x1 - patch.left))
