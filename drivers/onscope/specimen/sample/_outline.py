"""Outlines of cells: a distance from the cell's middle for every direction, cut where neighbours touch.

Where two cells touch, each ends at the straight line between them, so that they never overlap: epithelia look so
(H. Honda, J. Theor. Biol. 72, 523 (1978)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from . import _noise
from ._cycle import APART_UM, DYING_S
from ._herd import ANAPHASE, DYING, Herd
from ._settings import CellSettings

Array = npt.NDArray[Any]

DIRECTIONS = 128
"""Directions in which an outline is known; direction n is the angle 2 pi n / DIRECTIONS from +x to +y."""

GAP_UM = 0.12
"""Half the gap between two cells that touch, in um (cell-cell junctions: 20 nm to some tenths)."""

TOUCH_UM = 0.5
"""How much of a cell's outline a neighbour takes away where the two are firmly joined, in um: chosen."""

_ANGLE = np.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
_LOBES, _SPIKES, _RUFFLES = 40, 60, 80


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Outlines of M cells: `radius_um` (M, DIRECTIONS) float64, `touching` of its shape, 0 at free edges to 1 where a
    neighbour is, and the `area_um2` (M,) within them."""

    radius_um: Array
    touching: Array
    area_um2: Array


def outlines(herd: Herd, rows: Array, pairs: Array, time_s: float, settings: CellSettings) -> Outlines:
    """Outlines of some cells (row numbers) at a time; `pairs` (P, 2) are the rows that may touch."""
    radius = herd.radius_um(settings)
    free = _free(herd.taken(rows), radius[rows], time_s, settings)
    alone = free.copy()
    place = np.full(len(herd), -1)
    place[rows] = np.arange(len(rows))
    for one, other in ((pairs[:, 0], pairs[:, 1]), (pairs[:, 1], pairs[:, 0])):
        apart = np.hypot(herd.y[other] - herd.y[one], herd.x[other] - herd.x[one])
        limit = np.where(place >= 0, free.max(axis=1)[place] if len(rows) else 0.0, 0.0)
        share = _share_um(apart, radius[one], radius[other], herd.spread[one], herd.spread[other])
        keep = (place[one] >= 0) & (share - GAP_UM < limit[one])
        _cut(free, herd, radius, one[keep], other[keep], place)
    smooth = gaussian_filter1d(free, 1.2, axis=1, mode="wrap")
    area = 0.5 * (smooth**2).sum(axis=1) * (2 * math.pi / DIRECTIONS)
    touching = gaussian_filter1d(np.clip((alone - free) / TOUCH_UM, 0, 1), 1.2, axis=1, mode="wrap")
    return Outlines(smooth, touching, area)


def _cut(free: Array, herd: Herd, radius: Array, one: Array, other: Array, place: Array) -> None:
    dy, dx = herd.y[other] - herd.y[one], herd.x[other] - herd.x[one]
    apart = np.hypot(dy, dx)
    wall = np.maximum(_share_um(apart, radius[one], radius[other], herd.spread[one], herd.spread[other]) - GAP_UM, 0.5)
    ahead = np.cos(_ANGLE[None, :] - np.arctan2(dy, dx)[:, None])
    limit = np.where(ahead > 1e-3, wall[:, None] / np.maximum(ahead, 1e-3), np.inf)
    order = np.argsort(place[one], kind="stable")
    rows, starts = np.unique(place[one][order], return_index=True)
    if len(rows):
        free[rows] = np.minimum(free[rows], np.minimum.reduceat(limit[order], starts, axis=0))


def _share_um(apart: Array, mine: Array, other: Array, my_spread: Array, other_spread: Array) -> Array:
    """How much of the way between two cells belongs to the first, all (P,): by radius, but round cells are stiff.

    A cell in mitosis keeps its ball and dents its neighbours (M. P. Stewart et al., Nature 469, 226 (2011)), as long as
    they keep 0.4 of their radius.
    """
    even = apart * mine / (mine + other)
    for_me = (1 - my_spread) * np.maximum(np.minimum(1.02 * mine, apart - 0.4 * other) - even, 0)
    for_other = (1 - other_spread) * np.maximum(np.minimum(1.02 * other, apart - 0.4 * mine) - (apart - even), 0)
    return np.asarray(even + for_me - for_other)


def _free(herd: Herd, radius: Array, time_s: float, settings: CellSettings) -> Array:
    """What the outlines would be if the cells were alone: (N, DIRECTIONS)."""
    spread = herd.spread[:, None]
    living = np.where(herd.phase >= DYING, 0.0, 1.0)[:, None] * spread
    angle = _ANGLE[None, :] - herd.axis[:, None]
    stretch = settings.elongation ** (0.4 + 1.2 * _noise.uniform(herd.key, _LOBES))
    ratio = np.sqrt(1 + (stretch[:, None] - 1) * living)
    shape = 1 / np.sqrt((np.cos(angle) / ratio) ** 2 + (np.sin(angle) * ratio) ** 2)
    shape = shape * (1 + living * _lobes(herd, angle, time_s, 0.07 + 0.08 * settings.spikiness))
    shape += 0.16 * living * np.cos(_ANGLE[None, :] - herd.heading[:, None])  # the leading edge is broad and far
    if settings.spikiness:
        shape = shape * (1 - 0.2 * living * settings.spikiness) + living * _spikes(herd, angle, time_s, settings)
    shape += _blebs(herd, time_s)
    out = np.maximum(shape, 0.4) * radius[:, None]
    dividing = np.flatnonzero(herd.phase == ANAPHASE)
    if len(dividing):
        out[dividing] = _dumbbells(herd.taken(dividing), radius[dividing], settings)
    return np.asarray(out)


def _lobes(herd: Herd, angle: Array, time_s: float, strength: float) -> Array:
    # The sum over k of 2/k cos(k angle + phase_k), by Horner's rule: one exponential instead of a cosine per k.
    turn = np.exp(1j * angle)
    total = np.zeros_like(turn)
    for k in range(8, 1, -1):
        phase = 2 * math.pi * _noise.uniform(herd.key, _LOBES + k)
        per_s = 2 * math.pi * (_noise.uniform(herd.key, _LOBES + 10 + k) - 0.5) / 2400
        total += (2 / k * np.exp(1j * (phase + per_s * time_s)))[:, None]
        total *= turn
    return np.asarray(strength * (total * turn).real)


def _spikes(herd: Herd, angle: Array, time_s: float, settings: CellSettings) -> Array:
    """Protrusions that come and go within the better part of an hour."""
    total = np.zeros_like(angle)
    for n in range(5):
        where, width, far, phase = (_noise.uniform(herd.key, _SPIKES + 4 * n + m) for m in range(4))
        # The first two lie along the long axis, as the ends of a spindle-shaped cell do.
        centre = (n * math.pi + 0.6 * (where - 0.5)) if n < 2 else 2 * math.pi * where
        swing = np.sin(math.pi * (time_s / (2400 + 3600 * phase) + phase)) ** 2
        off = np.abs((angle - centre[:, None] + math.pi) % (2 * math.pi) - math.pi)
        bump = np.exp(-off / (0.07 + 0.13 * width[:, None]))
        total += settings.spikiness * (2.2 * far * swing)[:, None] * bump
    return total


def _blebs(herd: Herd, time_s: float) -> Array:
    """Blebs of dying cells: round bulges of a few um that come and go within a minute or two (G. T. Charras,
    J. Microsc. 231, 466 (2008)), then stay as they are."""
    out = np.zeros((len(herd), DIRECTIONS))
    rows = np.flatnonzero(herd.phase >= DYING)
    if not len(rows):
        return out
    sick = herd.taken(rows)
    clock = np.where(sick.phase == DYING, sick.phase_s, DYING_S * sick.tempo)  # the dead stay as they ended
    for n in range(9):
        where, phase, width = (_noise.uniform(sick.key, _RUFFLES + 3 * n + m) for m in range(3))
        swing = np.sin(2 * math.pi * (clock / (60 + 60 * phase) + phase)) ** 2
        off = np.abs((_ANGLE[None, :] - 2 * math.pi * where[:, None] + math.pi) % (2 * math.pi) - math.pi)
        bulge = np.sqrt(np.clip(1 - (off / (0.25 + 0.25 * width[:, None])) ** 2, 0, None))
        out[rows] = np.maximum(out[rows], (0.08 + 0.27 * swing * (0.3 + 0.7 * width))[:, None] * bulge)
    return out


def _dumbbells(herd: Herd, radius: Array, settings: CellSettings) -> Array:
    """Outlines in anaphase: the union of two discs that part along the axis, with the area of one before."""
    share = np.clip(herd.phase_s / settings.mitosis_s[2], 0, 1)
    half = separation_um(share)[:, None] / 2
    end = radius[:, None] / 2 ** (1 / 3)  # a daughter's ball
    disc = np.maximum(radius[:, None] + (end - radius[:, None]) * share[:, None], half * 1.02)
    along = np.abs(np.cos(_ANGLE[None, :] - herd.axis[:, None])) * half
    across = np.abs(np.sin(_ANGLE[None, :] - herd.axis[:, None])) * half
    return np.asarray(along + np.sqrt(np.maximum(disc**2 - across**2, 0)))


def separation_um(share: Array) -> Array:
    """Distance between the two sets of chromosomes, `share` 0 to 1 into anaphase: fast at first (anaphase A), in um."""
    return np.asarray(APART_UM * (1 - (1 - share) ** 1.7))
