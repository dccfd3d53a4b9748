"""Convex hulls of all objects at once: their areas and largest diameters, as scikit-image reckons them.

A pixel reaches half a pixel up, down, left and right (`convex_hull_image`). The hull of an object is two chains of
points from its top to its bottom, the leftmost and the rightmost ones; all coordinates are doubled, so that they are
whole and every comparison is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._runs import Integers, Runs

PAIRS = 1 << 20
"""Pairs of corners that are looked at together: 40 MB."""


@dataclass(frozen=True)
class Rows:
    """The extent of objects in each of their rows, by object and then by row: from `x0` to `x1`, both in it.

    `object`, `y`, `x0` and `x1` (n,).
    """

    object: Integers
    y: Integers
    x0: Integers
    x1: Integers

    @classmethod
    def of(cls, runs: Runs) -> Rows:
        key = runs.objects * runs.shape[0] + runs.y
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        objects, y = np.divmod(key[first], max(runs.shape[0], 1))
        if not len(first):
            return cls(objects, y, y, y)
        x0, x1 = np.minimum.reduceat(runs.x0[order], first), np.maximum.reduceat(runs.x1[order], first)
        return cls(objects, y, x0, x1 - 1)


@dataclass(frozen=True)
class Chain:
    """Corners of the hulls on one side, by object and then from top to bottom: `object`, doubled `y` and `x` (n,).

    On the right side x is below 0: the same as on the left one in a mirror.
    """

    object: Integers
    y: Integers
    x: Integers

    @classmethod
    def of(cls, objects: Integers, y: Integers, x: Integers) -> Chain:
        """Around pixels that are the leftmost ones of their object in a row, one for each."""
        high = 2 * int(y.max(initial=0)) + 3
        keys = np.concatenate([objects * high + 2 * y + 1 + step for step in (-1, 0, 1)])
        reach = np.concatenate([2 * x - (step == 0) for step in (-1, 0, 1)])
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        reach = np.minimum.reduceat(reach[order], first) if len(first) else reach
        found, rows = np.divmod(keys[first], high)
        corners = _convex(found, rows - 1, reach)
        return cls(found[corners], rows[corners] - 1, reach[corners])

    def at(self, objects: Integers, y: Integers) -> Integers:
        """The first pixel of each of these rows whose centre is in the hull, or on it; rows of objects as in Rows."""
        high = 2 * int(y.max(initial=0)) + 3
        places = np.searchsorted(self.object * high + self.y + 1, objects * high + 2 * y + 1, side="right") - 1
        down = self.y[places + 1] - self.y[places]
        across = (self.x[places + 1] - self.x[places]) * (2 * y - self.y[places])
        first: Integers = -((-(self.x[places] * down + across)) // (2 * down))  # rounded up
        return first


def _convex(objects: Integers, y: Integers, x: Integers) -> npt.NDArray[np.intp]:
    """Which points are corners of the lower hulls x(y): not those on or above what joins their neighbours."""
    kept = np.arange(len(objects))
    while True:
        before, here, after = kept[:-2], kept[1:-1], kept[2:]
        down, further = y[here] - y[before], y[after] - y[before]
        flat = (x[here] - x[before]) * further >= (x[after] - x[before]) * down
        drop = np.flatnonzero(flat & (objects[before] == objects[after]))
        if not len(drop):
            return kept
        kept = np.delete(kept, drop + 1)


def convex(runs: Runs) -> Rows:
    """The convex objects: all pixels whose centres are in the hull of an object, or on it."""
    rows = Rows.of(runs)
    left, right = Chain.of(rows.object, rows.y, rows.x0), Chain.of(rows.object, rows.y, -rows.x1)
    begins = np.flatnonzero(np.diff(rows.object, prepend=-1))
    heights = np.maximum.reduceat(rows.y, begins) - rows.y[begins] + 1 if len(begins) else begins
    objects = np.repeat(np.arange(len(begins)), heights)  # objects may have empty rows between their parts
    y = np.arange(len(objects)) - np.repeat(np.cumsum(heights) - heights - rows.y[begins], heights)
    return Rows(objects, y, left.at(objects, y), -right.at(objects, y))


def areas(rows: Rows, n: int) -> npt.NDArray[np.float64]:
    """Pixels of each of n objects."""
    return np.bincount(rows.object, rows.x1 - rows.x0 + 1, n).astype(np.float64)


def diameters(rows: Rows, n: int) -> npt.NDArray[np.float64]:
    """The largest distance between two points of the rim of each of n objects: the maximum Feret diameter."""
    left, right = Chain.of(rows.object, rows.y, rows.x0), Chain.of(rows.object, rows.y, -rows.x1)
    objects = np.concatenate([left.object, right.object])
    order = np.argsort(objects, kind="stable")
    y, x = np.concatenate([left.y, right.y])[order], np.concatenate([left.x, -right.x])[order]
    corners = np.bincount(objects, minlength=n)
    first = np.cumsum(corners) - corners
    pairs = int((corners**2).sum())  # all pairs: corners of a hull are few
    blocks = np.array_split(np.arange(n), pairs // PAIRS + 1)
    return np.concatenate([_farthest(y, x, first[block], corners[block]) for block in blocks])


def _farthest(y: Integers, x: Integers, first: Integers, corners: Integers) -> npt.NDArray[np.float64]:
    """Of objects whose corners, `corners` of them each, begin at `first`; half of doubled coordinates."""
    if not len(first):
        return np.zeros(0)
    objects = np.repeat(np.arange(len(first)), corners)
    mates = corners[objects]
    one = np.repeat(np.arange(first[0], first[0] + len(objects)), mates)
    begins = np.cumsum(mates) - mates
    other = np.arange(len(one)) - np.repeat(begins - first[objects], mates)
    squares = (y[one] - y[other]) ** 2 + (x[one] - x[other]) ** 2
    each = np.cumsum(corners**2) - corners**2
    return np.asarray(np.sqrt(np.maximum.reduceat(squares, each)) / 2, np.float64)
