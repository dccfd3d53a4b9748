"""How far a network's flow is from the one that an object of that shape has: heat that spreads from its middle."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ._regions import Regions

CLASSES = 16
"""Pixels: objects whose boxes are of about the same size are looked at together, in one picture."""
Floats = npt.NDArray[np.float32]


def flow_errors(regions: Regions, flows: Floats) -> npt.NDArray[np.float64]:
    """Of each object the mean over its pixels of |own flow - `flows`|^2; flows (2, y, x) of unit length.

    Cellpose's quality control. The own flow is the direction in which heat rises that enters at the pixel next to the
    object's mean position and spreads among its pixels, twice as many steps as the largest box has rows and columns.
    """
    errors = np.zeros(len(regions.sizes))
    sides = regions.boxes[:, 2:] - regions.boxes[:, :2] + 1
    rounded = -(-sides.max(1) // CLASSES) * CLASSES if len(sides) else np.zeros(0, np.intp)
    for side in np.unique(rounded):
        chosen = rounded == side
        errors[chosen] = _errors(regions.only(chosen), int(side), flows)
    return errors


def _errors(regions: Regions, side: int, flows: Floats) -> npt.NDArray[np.float64]:
    # One picture of squares, one per object, with a pixel of nothing between any two: one blur is a step of all.
    count = len(regions.sizes)
    across = int(np.ceil(np.sqrt(count)))
    corner = np.stack(np.divmod(np.arange(count), across), axis=1) * (side + 1) + 1
    owner = regions.owner
    shift = corner - regions.boxes[:, :2]
    y, x = regions.y + shift[owner, 0], regions.x + shift[owner, 1]
    inside = np.zeros((-(-count // across) * (side + 1) + 1, across * (side + 1) + 1), np.float32)
    inside[y, x] = 1
    middle = _middles(y, x, owner, regions)
    heat, spread = np.zeros(inside.shape, np.float32), np.empty(inside.shape, np.float32)
    # Objects do not touch: each is read off after its own number of steps, the others go on.
    steps = 2 * (regions.boxes[:, 2:] - regions.boxes[:, :2] + 3).sum(1)
    order = np.argsort(steps[owner], kind="stable")
    ends = np.searchsorted(steps[owner][order], np.arange(int(steps.max()) + 2))
    rise = np.zeros((2, len(owner)), np.float32)
    for step in range(1, int(steps.max()) + 1):
        heat[y[middle], x[middle]] += 1
        cv2.blur(heat, (3, 3), dst=spread, borderType=cv2.BORDER_CONSTANT)
        np.multiply(spread, inside, out=heat)
        done = order[ends[step] : ends[step + 1]]
        if len(done):
            down, along = y[done], x[done]
            rise[0, done] = heat[down + 1, along] - heat[down - 1, along]
            rise[1, done] = heat[down, along + 1] - heat[down, along - 1]
    rise /= np.hypot(*rise) + np.float32(1e-20)
    squares = ((rise - flows[:, regions.y, regions.x]) ** 2).sum(0)
    return np.asarray(np.bincount(owner, squares, count) / regions.sizes)


def _middles(
    y: npt.NDArray[np.intp], x: npt.NDArray[np.intp], owner: npt.NDArray[np.intp], regions: Regions
) -> npt.NDArray[np.intp]:
    """Of each object the number of the pixel that is next to the mean position of its pixels, the first of several."""
    mean_y, mean_x = (np.bincount(owner, each) / regions.sizes for each in (y, x))
    away = (y - mean_y[owner]) ** 2 + (x - mean_x[owner]) ** 2
    nearest = np.minimum.reduceat(away, regions.first)
    candidates = np.flatnonzero(away == nearest[owner])
    _, first = np.unique(owner[candidates], return_index=True)
    return candidates[first]
