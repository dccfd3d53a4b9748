"""Which tracks and objects come into question for each other, and what each link would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from ._columns import Detections
from ._settings import TrackSettings

Table = np.ndarray[Any, np.dtype[Any]]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Row k of each: a track, an object, and what a link between them costs (1: as far as may be, and alike)."""

    tracks: Indices
    objects: Indices
    costs: Floats

    def only(self, kept: npt.NDArray[np.bool_]) -> Pairs:
        """Those that are kept."""
        return Pairs(self.tracks[kept], self.objects[kept], self.costs[kept])


def near(places: Floats, reach: Floats, points: Floats) -> Pairs:
    """All points (m, 2) within `reach` (n) of each of the `places` (n, 2), by rising place and point.

    Their cost is the squared distance in units of the reach.
    """
    if not len(places) or not len(points):
        return Pairs(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))
    pairs = cKDTree(places).sparse_distance_matrix(cKDTree(points), float(reach.max()), output_type="ndarray")
    pairs = pairs[pairs["v"] <= reach[pairs["i"]]]
    order = np.lexsort([pairs["j"], pairs["i"]])
    tracks, objects = pairs["i"][order], pairs["j"][order]
    off = places[tracks] - points[objects]  # squares of these, for a root squared again is not what it was
    return Pairs(tracks, objects, (off * off).sum(axis=1) / reach[tracks] ** 2)


def links(alive: Table, number: int, largest: float, found: Detections, settings: TrackSettings) -> Pairs:
    """Pairs of tracks, as they are expected in frame `number`, and objects within the largest distance, in pixels."""
    steps = (number - alive["last"]).astype(np.float64)
    pairs = near(np.stack([alive["y"], alive["x"]], axis=1), largest * steps**settings.gap_growth, found.places)
    before = alive[pairs.tracks]
    costs = pairs.costs
    if settings.area_weight:
        costs = costs + settings.area_weight * _difference(before["area"], found.area[pairs.objects])
    if settings.intensity_weight:
        costs = costs + settings.intensity_weight * _difference(before["intensity"], found.intensity[pairs.objects])
    if settings.appearance_weight:
        off = before["appearance"] - found.appearance[pairs.objects]
        costs = costs + settings.appearance_weight * np.nan_to_num((off * off).sum(axis=1))
    pairs = Pairs(pairs.tracks, pairs.objects, costs)
    if settings.min_area_ratio:
        pairs = pairs.only(alike(before["area"], found.area[pairs.objects], settings.min_area_ratio))
    return pairs


def alike(one: Floats, other: Floats, ratio: float) -> npt.NDArray[np.bool_]:
    """Whether the smaller is at least `ratio` of the larger; what is not known (NaN) may be."""
    return np.asarray(~(np.minimum(one, other) < ratio * np.maximum(one, other)))


def _difference(one: Floats, other: Floats) -> Floats:
    """|a - b| / (|a| + |b|): 0 of equal values, 1 where one of them is 0; 0 where one is not known."""
    total = np.abs(one) + np.abs(other)
    return np.asarray(np.nan_to_num(np.divide(np.abs(one - other), total, out=np.zeros_like(total), where=total > 0)))
