"""What a star-convex network is to answer: how central a pixel is in its object, and how far its outline is.

U. Schmidt, M. Weigert, C. Broaddus, G. Myers, "Cell detection with star-convex polygons", MICCAI 2018.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

RAYS = 32
GRID = 2
"""Pixels between the places that are answered for, along y and x."""
_STEPS = 60
_NEAR = 0.35


def targets(labels: npt.NDArray[np.int32]) -> tuple[Array, Array]:
    """Object probability (rows, columns) and distances (`RAYS`, rows, columns) at every second pixel, float32.

    The probability is a pixel's distance to the next one of another label over the largest such distance in its
    object; the border of the image is no border of an object there. The distances in pixels go from the pixel's middle
    to where the object ends, along angles from x towards y, and end at the image's border; both are 0 in the
    background.
    """
    outline = _to_outline(labels)
    at = (slice(None, None, GRID), slice(None, None, GRID))
    small = labels[at]
    largest = np.zeros(int(labels.max()) + 1, np.float32)
    np.maximum.at(largest, labels.ravel(), outline.ravel())
    # the most central of the answered places is 1
    seen = np.zeros_like(largest)
    np.maximum.at(seen, small.ravel(), outline[at].ravel())
    scale = np.where(seen > 0, seen, np.maximum(largest, 1))
    chance = np.where(small > 0, outline[at] / scale[small], 0).astype(np.float32)
    distances = np.zeros((RAYS, *small.shape), np.float32)
    rows, columns = np.nonzero(small)
    distances[:, rows, columns] = _marched(labels, outline, rows * GRID, columns * GRID)
    return chance, distances


def _to_outline(labels: npt.NDArray[np.int32]) -> Array:
    """Distance of each pixel's middle to that of the nearest pixel of another label, float32; 0 in the background."""
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        low = (slice(None, -1), slice(None))[:: 1 - 2 * axis]
        high = (slice(1, None), slice(None))[:: 1 - 2 * axis]
        differs = labels[low] != labels[high]
        edge[low] |= differs
        edge[high] |= differs
    inside = (labels > 0) & ~edge
    if not edge.any():
        return np.where(labels > 0, np.float32(max(labels.shape)), np.float32(0))
    found = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) + np.float32(1)
    return np.where(inside, found, np.where(labels > 0, np.float32(1), np.float32(0)))


def _marched(labels: npt.NDArray[np.int32], outline: Array, rows: Array, columns: Array) -> Array:
    """Distances (`RAYS`, n) from places to where their objects end, in strides that no outline or border is within."""
    angles = np.arange(RAYS) * (2 * np.pi / RAYS)
    down, across = np.sin(angles)[:, None].astype(np.float32), np.cos(angles)[:, None].astype(np.float32)
    own = np.broadcast_to(labels[rows, columns], (RAYS, len(rows))).ravel()
    start_y, start_x = (np.broadcast_to(v.astype(np.float32), (RAYS, len(rows))).ravel() for v in (rows, columns))
    down, across = (np.broadcast_to(v, (RAYS, len(rows))).ravel() for v in (down, across))
    way = np.zeros(len(own), np.float32)
    going = np.arange(len(own))
    for _ in range(_STEPS):
        y, x = start_y[going] + way[going] * down[going], start_x[going] + way[going] * across[going]
        row, column = np.rint(y).astype(np.intp), np.rint(x).astype(np.intp)
        held = (row >= 0) & (column >= 0) & (row < labels.shape[0]) & (column < labels.shape[1])
        held[held] = labels[row[held], column[held]] == own[going[held]]
        going, row, column = going[held], row[held], column[held]
        if not len(going):
            break
        to_border = np.minimum(
            np.minimum(row, labels.shape[0] - 1 - row), np.minimum(column, labels.shape[1] - 1 - column)
        )
        way[going] += np.maximum(np.minimum(outline[row, column], to_border) - np.float32(1.2), np.float32(_NEAR))
    return np.asarray(np.maximum(way - np.float32(_NEAR / 2), 0).reshape(RAYS, len(rows)))
