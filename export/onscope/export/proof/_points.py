"""Points of network and export that belong together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._original import Array
from ._answers import Answers

MATCH_PX = 1.0


@dataclass(frozen=True, eq=False)
class Matched:
    """Places (n, 2 or more; y and x last) and scores of the points that count, and which of them are pairs.

    `first[left[i]]` of the network and `second[right[i]]` of the export are at most MATCH_PX apart.
    """

    first: Array
    second: Array
    scores: tuple[Array, Array]
    left: Array
    right: Array


def matched_rows(one: Answers) -> Matched:
    """The points from the threshold on (without one: above 0), paired so that as many as possible are, each once."""
    columns = list(one.settings["columns"])
    score = columns.index("score") if "score" in columns else len(columns) - 1
    places = [columns.index(name) for name in ("z", "y", "x") if name in columns]
    places = places or [at for at in range(len(columns)) if at != score]
    threshold = one.settings.get("threshold")
    first, second = (_kept(rows, score, threshold) for rows in one.whole)
    left, right = _nearest(first[:, places], second[:, places])
    return Matched(first[:, places], second[:, places], (first[:, score], second[:, score]), left, right)


def _kept(points: Array, score: int, threshold: float | None) -> Array:
    rows = points.reshape(-1, points.shape[-1]).astype(np.float64)
    return rows[rows[:, score] > 0 if threshold is None else rows[:, score] >= threshold]


def _nearest(first: Array, second: Array) -> tuple[Array, Array]:
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    distance = cdist(first, second)
    left, right = linear_sum_assignment(np.where(distance > MATCH_PX, 1e6, distance))
    near = distance[left, right] <= MATCH_PX
    return left[near], right[near]
