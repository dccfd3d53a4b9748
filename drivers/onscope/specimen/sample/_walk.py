"""Where cells go: a persistent random walk, and the push of those that touch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from . import _noise
from ._harm import pace
from ._herd import DYING, INTERPHASE, TELOPHASE, Herd
from ._settings import CellSettings

Array = npt.NDArray[Any]

PUSH_UM_PER_S = 0.008
"""Speed at which two cells that wholly overlap part: 0.5 um/min, about that of crawling: crowds give way slowly.
Chosen."""

WALL_UM_PER_S = 0.05
"""Speed at which the plate's ends move cells back in, who were born beyond them, say: faster than any push; chosen."""

_TURN, _WANDER, _EDGE = 1000, 1001, 1003


def neighbours(herd: Herd, settings: CellSettings, slack_um: float) -> Array:
    """Pairs of rows (P, 2) that touch or nearly do (`slack_um`), sorted, so that sums over them are repeatable."""
    if len(herd) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    radius = herd.radius_um(settings)
    points = np.column_stack([herd.y, herd.x])
    pairs = cKDTree(points).query_pairs(2 * settings.touch * float(radius.max()) + slack_um, output_type="ndarray")
    apart = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    pairs = pairs[apart < settings.touch * (radius[pairs[:, 0]] + radius[pairs[:, 1]]) + slack_um]
    return np.asarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))])


def push(herd: Herd, pairs: Array, settings: CellSettings) -> tuple[Array, Array]:
    """Speed (y, x) in um/s, each (N,), at which touching cells are pushed apart."""
    radius = herd.radius_um(settings)
    first, second = pairs[:, 0], pairs[:, 1]
    dy, dx = herd.y[second] - herd.y[first], herd.x[second] - herd.x[first]
    apart = np.hypot(dy, dx)
    reach = settings.touch * (radius[first] + radius[second])
    overlap = np.clip(1 - apart / reach, 0, None)
    # Flat cells give way until little is left but their nuclei, which do not: the push rises steeply.
    speed = PUSH_UM_PER_S * overlap * (1 + 8 * overlap) / np.maximum(apart, 1e-6)
    count = len(herd)
    along_y, along_x = speed * dy, speed * dx
    return (
        np.bincount(second, along_y, count) - np.bincount(first, along_y, count),
        np.bincount(second, along_x, count) - np.bincount(first, along_x, count),
    )


def walk(herd: Herd, pairs: Array, step: int, step_s: float, settings: CellSettings) -> None:
    """One step of `step_s` seconds, in place.

    The heading diffuses so that the direction is forgotten within the persistence time; where cells push, they turn
    the way they are pushed (contact inhibition of locomotion: M. Abercrombie, Exp. Cell Res. Suppl. 8, 188 (1961)).
    Only flat cells crawl. Walls at the ends of the plate turn cells back.
    """
    pushed_y, pushed_x = push(herd, pairs, settings)
    key = _noise.at_step(herd.key, step)
    crawling = np.where((herd.phase == INTERPHASE) | (herd.phase == TELOPHASE), herd.spread, 0.0)
    speed = settings.speed_um_per_min / 60 * crawling * pace(herd.stress)
    speed *= 0.6 + 0.8 * _noise.uniform(herd.key, _WANDER)  # some cells are faster than others, for life
    turn = np.sqrt(2 * step_s / (60 * settings.persistence_min)) * _noise.normal(key, _TURN)
    pressure = np.hypot(pushed_y, pushed_x) / PUSH_UM_PER_S
    away = np.arctan2(pushed_y, pushed_x) - herd.heading
    herd.heading += turn + np.clip(0.1 * pressure, 0, 0.05) * step_s / 10 * np.sin(away)
    # The long axis follows the heading, either way round, as the cell is dragged along.
    herd.axis += 0.002 * step_s * speed / 0.0075 * np.sin(2 * (herd.heading - herd.axis)) / 2
    anchored = np.where(herd.phase >= DYING, 0.3, 1.0)  # debris is pushed by its neighbours, but slowly
    herd.y += step_s * (speed * np.sin(herd.heading) + anchored * pushed_y)
    herd.x += step_s * (speed * np.cos(herd.heading) + anchored * pushed_x)
    _turn_back(herd, settings, WALL_UM_PER_S * step_s)


def settle(herd: Herd, settings: CellSettings, rounds: int = 60) -> None:
    """Moves cells apart that were thrown onto each other, before time begins. In place."""
    for number in range(rounds):
        if number % 10 == 0:
            pairs = neighbours(herd, settings, 6.0)
        pushed_y, pushed_x = push(herd, pairs, settings)
        herd.y += np.clip(150 * pushed_y, -1.5, 1.5)
        herd.x += np.clip(150 * pushed_x, -1.5, 1.5)
        if settings.gap_um:
            middle = settings.extent_um[1] / 2
            half = settings.gap_um / 2 + 4 + 12 * _noise.uniform(herd.key, _EDGE)  # a scratch is ragged
            off = herd.x - middle
            np.copyto(herd.x, middle + np.where(off < 0, -half, half), where=np.abs(off) < half)
        _turn_back(herd, settings, math.inf)


def _turn_back(herd: Herd, settings: CellSettings, most_um: float) -> None:
    margin = 8.0
    outside = np.zeros(len(herd), dtype=bool)
    for place, extent in ((herd.y, settings.extent_um[0]), (herd.x, settings.extent_um[1])):
        outside |= (place < margin) | (place > extent - margin)
        place += np.clip(np.clip(place, margin, extent - margin) - place, -most_um, most_um)
    centre = np.arctan2(settings.extent_um[0] / 2 - herd.y, settings.extent_um[1] / 2 - herd.x)
    herd.heading += np.where(outside, 0.2 * np.sin(centre - herd.heading), 0.0)
