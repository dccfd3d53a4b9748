"""How much of the light on a view each cell receives: the mean of a fluence over its body or its chromatin.

The mean is taken over points spread evenly over the body instead of its pixels: nothing needs to be drawn for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import View
from ._exposure import at_points
from ._outline import DIRECTIONS

Array = npt.NDArray[Any]

RINGS, SPOKES = 12, 32
"""Points per body: every ring stands for the same area, so the plain mean is the mean over the body."""

COARSE_UM = 1.0
"""Side of pixels in um from which on a fluence tells nothing of a cell's outline: cells are discs to it. Chosen."""

_FEW_RINGS, _FEW_SPOKES = 4, 12
_AT_ONCE = 64  # bodies whose points fit a core's own cache
_RING = np.sqrt((np.arange(RINGS) + 0.5) / RINGS)[:, None]
# Spokes are turned a little from ring to ring: none lies along an edge of light as a whole. (RINGS, SPOKES)
_SPOKE = np.arange(SPOKES)[None, :] * (DIRECTIONS // SPOKES) + (np.arange(RINGS)[:, None] * 3) % (DIRECTIONS // SPOKES)
_ANGLE = _SPOKE * (2 * math.pi / DIRECTIONS) + math.pi / DIRECTIONS


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Where the light on N bodies is looked up: `index` (N, points) into the pixels of a view, and how much each point
    counts, `weight` float32 (N, points): 0 outside of the view, and 1 in sum for a body that is all inside."""

    index: npt.NDArray[np.intp]
    weight: npt.NDArray[np.float32]

    def mean(self, fluence: Array) -> Array:
        """Mean fluence (N,), float64, of one per pixel of the view, or of one number for all."""
        if fluence.ndim == 0:
            return np.asarray(self.weight.sum(axis=1, dtype=np.float64) * float(fluence))
        received = np.take(fluence.ravel(), self.index)
        received *= self.weight
        return np.asarray(received.sum(axis=1, dtype=np.float64))


def on_bodies(view: View, y_um: Array, x_um: Array, outline_um: Array) -> Points:
    """Points on N bodies with outlines (N, DIRECTIONS); parts outside of the view receive none.

    A point stands for the area of its sector, so it counts with the square of the outline there.
    """
    sine, cosine = (_RING * np.sin(_ANGLE)).ravel(), (_RING * np.cos(_ANGLE)).ravel()

    def some(rows: slice) -> tuple[Array, Array, Array]:
        radius = ((outline_um[rows, _SPOKE] + outline_um[rows, (_SPOKE + 1) % DIRECTIONS]) / 2).reshape(-1, sine.size)
        weight = radius**2
        weight /= weight.sum(axis=1, keepdims=True)
        return y_um[rows, None] + radius * sine, x_um[rows, None] + radius * cosine, weight

    return _found(view, len(y_um), some)


def on_chromatin(view: View, bodies: Array) -> Points:
    """Points on each of N bodies of chromatin (dtype `BODY`)."""
    along, across = (_RING * np.cos(_ANGLE)).ravel(), (_RING * np.sin(_ANGLE)).ravel()
    share = np.full(1, 1 / along.size)

    def some(rows: slice) -> tuple[Array, Array, Array]:
        here = bodies[rows]
        cos, sin = np.cos(here["angle"])[:, None], np.sin(here["angle"])[:, None]
        long, short = here["long_um"][:, None] * along, here["short_um"][:, None] * across
        y = here["y_um"][:, None] + sin * long + cos * short
        x = here["x_um"][:, None] + cos * long - sin * short
        return y, x, share

    return _found(view, len(bodies), some)


def over_discs(view: View, y_um: Array, x_um: Array, radius_um: Array, fluence: Array) -> Array:
    """Mean fluence (N,) over discs; parts outside of the view receive none."""
    ring = np.sqrt((np.arange(_FEW_RINGS) + 0.5) / _FEW_RINGS)[:, None]
    angle = (np.arange(_FEW_SPOKES) + ring * _FEW_SPOKES) * (2 * math.pi / _FEW_SPOKES)
    far = radius_um[:, None] * ring.repeat(_FEW_SPOKES, axis=1).ravel()
    y, x = y_um[:, None] + far * np.sin(angle).ravel(), x_um[:, None] + far * np.cos(angle).ravel()
    return np.asarray(at_points(view, y, x, fluence).mean(axis=1))


def over_cells(points: Points, bodies: Array, count: int, fluence: Array) -> Array:
    """Mean fluence (count,) over each cell's chromatin: that of its `bodies`, weighted by their shares."""
    whole = np.bincount(bodies["row"], bodies["share"], count)
    summed = np.bincount(bodies["row"], bodies["share"] * points.mean(fluence), count)
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
    return np.asarray((at_points(view, y, x, fluence).mean(axis=2) * weight).sum(axis=1) / weight.sum(axis=1))


def _found(view: View, count: int, some: Callable[[slice], tuple[Array, Array, Array]]) -> Points:
    index = np.empty((count, RINGS * SPOKES), dtype=np.intp)
    weight = np.empty(index.shape, dtype=np.float32)
    for first in range(0, count, _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        y_um, x_um, share = some(rows)
        row, column = (np.floor(each + 0.5).astype(np.intp) for each in view.pixels(y_um, x_um))
        inside = (row >= 0) & (row < view.shape[0]) & (column >= 0) & (column < view.shape[1])
        row *= view.shape[1]
        row += column
        row *= inside
        index[rows] = row
        np.multiply(share, inside, out=weight[rows])
    return Points(index, weight)
