"""Watershed from markers: every pixel of a mask goes uphill, and hills without a marker join a neighbour over the
highest pass.

What Meyer's flooding gives (Beucher and Meyer 1993; scikit-image's `watershed` of the negative `sloped` heights, with 4
neighbours), apart from pixels on the lines between two objects, as a minimum spanning forest of the hills: Cousty,
Bertrand, Najman and Couprie, Watershed cuts: minimum spanning forests, IEEE TPAMI 2009.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
OUTSIDE = np.float32(-np.inf)
BESIDE = ((-1, 0), (0, -1), (0, 1), (1, 0))
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
FLAT, FAR = 1e-2, 256.0
"""Of the range of heights: how much level ground is made to fall away from markers, over so many pixels."""


def watershed(heights: Floats, markers: Labels, mask: Mask) -> Labels:
    """The label (y, x) of each pixel of `mask`: that of the marker that it is connected to by the highest way.

    `heights` (y, x) are finite and high inside of objects; `markers` (0: none) are connected, 1, 2, ..., and lie in
    the mask. Parts of the mask without a marker stay 0.
    """
    mask = mask | (markers > 0)
    labels = np.zeros(mask.shape, np.int32)
    if not markers.any():
        return labels
    height = np.pad(sloped(heights, markers), 1)
    inside = np.pad(mask, 1)
    np.copyto(height, OUTSIDE, where=~inside)
    places = np.flatnonzero(inside)
    marks = markers[mask]
    hill, count = _hills(height, marks, places)
    labels[mask] = _joined(hill, count, height, int(marks.max()), places)[hill]
    return labels


def sloped(heights: Floats, markers: Labels) -> Floats:
    """The heights with level ground, such as a probability of 1, made to rise a little towards the nearest marker."""
    away = cv2.distanceTransform((markers == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    low, high, _, _ = cv2.minMaxLoc(heights)
    slope = FLAT / FAR * max(high - low, 1e-2 * abs(high), 1e-6)
    away = np.asarray(np.minimum(away, FAR), np.float32)
    return np.asarray(cv2.scaleAdd(away, -slope, heights), np.float32)


def _hills(height: Floats, marks: Labels, places: Places) -> tuple[npt.NDArray[np.int32], int]:
    """The number of its hill (n,) of each of `places` (n,; flat), where the steepest way up ends; how many there are.

    A marker (`marks` (n,), 0: none) is one hill, number label - 1; no way leaves it.
    """
    width = height.shape[1]
    highest = cv2.dilate(height, CROSS)
    way = np.zeros(height.shape, np.uint8)
    for number, (rows, columns) in enumerate(BESIDE, start=1):
        beside = height[1 + rows : height.shape[0] - 1 + rows, 1 + columns : width - 1 + columns]
        np.copyto(way[1:-1, 1:-1], np.uint8(number), where=beside == highest[1:-1, 1:-1])
    np.copyto(way, np.uint8(0), where=highest == height)
    steps = np.array([0, *(rows * width + columns for rows, columns in BESIDE)])[way.ravel()[places]]
    steps[marks > 0] = 0
    compact = np.zeros(height.size, np.int32)
    compact[places] = np.arange(len(places), dtype=np.int32)
    up = compact[places + steps]
    moving = np.flatnonzero(steps)
    while len(moving):
        before = up[moving]
        further = up[before]
        up[moving] = further
        moving = moving[further != before]
    known = int(marks.max())
    number_of = marks - 1
    tops = np.flatnonzero((steps == 0) & (marks == 0))
    number_of[tops] = np.arange(known, known + len(tops), dtype=np.int32)
    return number_of[up], known + len(tops)


def _joined(hill: npt.NDArray[np.int32], count: int, height: Floats, known: int, places: Places) -> Labels:
    """The label of each hill: its marker's, or that of the hills that it joins over the highest passes; 0: none."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

    labels = np.zeros(count, np.int32)
    labels[:known] = np.arange(1, known + 1)
    if count == known:
        return labels
    width, level_of = height.shape[1], height.ravel()
    whole = np.full(height.size, -1, np.int32)
    whole[places] = hill
    first, second, passes, sides = [], [], [], []
    for step in (1, width):
        there = whole[places + step]
        # Between two markers nothing joins.
        border = np.flatnonzero((there != hill) & (there >= 0))
        border = border[np.maximum(hill[border], there[border]) >= known]
        at = places[border]
        first.append(hill[border])
        second.append(there[border])
        passes.append(np.minimum(level_of[at], level_of[at + step]))
        sides.append(np.maximum(level_of[at], level_of[at + step]))
    low = np.minimum(np.concatenate(first), np.concatenate(second))
    high = np.maximum(np.concatenate(first), np.concatenate(second))
    # Several ways over one pass: flooding comes first from the higher side. In this order the highest pass is last.
    level, side = np.concatenate(passes), np.concatenate(sides)
    order = np.lexsort((side, level, high, low))
    low, high, level, side = low[order], high[order], level[order], side[order]
    last = np.ones(len(low), bool)
    last[:-1] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    low, high, level, side = low[last], high[last], level[last], side[last]
    # A tree's root lies beside all markers, on the cheapest edges: cut off, each tree has one marker at most.
    root = count
    cost = np.ones(len(level) + known)
    cost[np.lexsort((side, level))] = np.arange(len(level), 0, -1.0) + 1
    ends = np.concatenate([low, np.full(known, root)]), np.concatenate([high, np.arange(known)])
    tree = minimum_spanning_tree(coo_array((cost, ends), shape=(count + 1, count + 1)).tocsr()).tocoo()
    kept = (tree.row != root) & (tree.col != root)
    forest = coo_array((tree.data[kept], (tree.row[kept], tree.col[kept])), shape=(count, count))
    _, part = connected_components(forest, directed=False)
    of_part = np.zeros(count, np.int32)
    of_part[part[:known]] = labels[:known]
    return np.asarray(of_part[part], np.int32)
