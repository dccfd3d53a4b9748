"""How much of the light on a view each cell receives: the mean of a fluence over its body or its chromatin.

The mean is taken over points spread evenly over the body instead of its pixels: nothing needs to be drawn for it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import View
from ._outline import DIRECTIONS

Array = npt.NDArray[Any]

RINGS, SPOKES = 12, 32
"""Points per body: every ring stands for the same area, so the plain mean is the mean over the body."""

_RING = np.sqrt((np.arange(RINGS) + 0.5) / RINGS)[:, None]
# Spokes are turned a little from ring to ring: none lies along an edge of light as a whole. (RINGS, SPOKES)
_SPOKE = np.arange(SPOKES)[None, :] * (DIRECTIONS // SPOKES) + (np.arange(RINGS)[:, None] * 3) % (DIRECTIONS // SPOKES)
_ANGLE = _SPOKE * (2 * math.pi / DIRECTIONS) + math.pi / DIRECTIONS


def over_bodies(view: View, y_um: Array, x_um: Array, outline_um: Array, fluence: Array) -> Array:
    """Mean fluence (N,) over bodies with outlines (N, DIRECTIONS); parts outside of the view receive none.

    A point stands for the area of its sector, so it counts with the square of the outline there.
    """
    radius = (outline_um[:, _SPOKE] + outline_um[:, (_SPOKE + 1) % DIRECTIONS]) / 2
    far = radius * _RING
    y, x = y_um[:, None, None] + far * np.sin(_ANGLE), x_um[:, None, None] + far * np.cos(_ANGLE)
    weight = radius**2
    return np.asarray((_at(view, y, x, fluence) * weight).sum(axis=(1, 2)) / weight.sum(axis=(1, 2)))


def over_chromatin(view: View, bodies: Array, count: int, fluence: Array) -> Array:
    """Mean fluence (count,) over each cell's chromatin (dtype `BODY`), weighted by its share."""
    along, across = _RING * np.cos(_ANGLE), _RING * np.sin(_ANGLE)
    cos, sin = np.cos(bodies["angle"])[:, None, None], np.sin(bodies["angle"])[:, None, None]
    long, short = bodies["long_um"][:, None, None] * along, bodies["short_um"][:, None, None] * across
    y = bodies["y_um"][:, None, None] + sin * long + cos * short
    x = bodies["x_um"][:, None, None] + cos * long - sin * short
    mean = _at(view, y, x, fluence).mean(axis=(1, 2))
    whole = np.bincount(bodies["row"], bodies["share"], count)
    summed = np.bincount(bodies["row"], bodies["share"] * mean, count)
    return np.asarray(summed / np.maximum(whole, 1e-12))


def over_rods(
    view: View, place: tuple[Array, Array, Array], length_um: Array, width_um: float, fluence: Array
) -> Array:
    """Mean fluence (N,) over rods with round ends, `place` their middles (y, x) and angles; outside of the view none.

    Points count with the rod's breadth where they lie, so that the ends weigh as little as they hold.
    """
    y_um, x_um, angle = (each[:, None, None] for each in place)
    along = (((np.arange(SPOKES) + 0.5) / SPOKES - 0.5) * length_um[:, None])[:, :, None]
    beyond = np.maximum(np.abs(along) - (length_um[:, None, None] - width_um) / 2, 0)
    half = np.sqrt(np.maximum((width_um / 2) ** 2 - beyond**2, 0))
    across = half * ((np.arange(RINGS) + 0.5) / RINGS * 2 - 1)
    y = y_um + along * np.sin(angle) + across * np.cos(angle)
    x = x_um + along * np.cos(angle) - across * np.sin(angle)
    weight = half[:, :, 0]
    return np.asarray((_at(view, y, x, fluence).mean(axis=2) * weight).sum(axis=1) / weight.sum(axis=1))


def _at(view: View, y_um: Array, x_um: Array, fluence: Array) -> Array:
    row, column = (np.floor(each + 0.5).astype(np.int64) for each in view.pixels(y_um, x_um))
    inside = (row >= 0) & (row < view.shape[0]) & (column >= 0) & (column < view.shape[1])
    if fluence.ndim == 0:
        return np.asarray(inside * float(fluence))
    index = np.clip(row, 0, view.shape[0] - 1) * view.shape[1] + np.clip(column, 0, view.shape[1] - 1)
    return np.asarray(np.take(fluence.ravel(), index) * inside)
