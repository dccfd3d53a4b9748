"""How well two answers agree: errors of pixels, points that belong together, objects that overlap.

Used wherever two answers are compared: an export with its network, a variant with the float weights, a network with the
truth. Nothing is rescaled before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ._original import Array

MATCH_IOU = 0.5
"""Objects belong together above this intersection over union; each has one such partner at most."""


def span(values: Array) -> float:
    """Maximum minus minimum; the largest magnitude of a constant array, 1 for zeros."""
    if values.size == 0:
        return 1.0
    low, high = float(values.min()), float(values.max())
    return (high - low) or abs(high) or 1.0


def rms(values: Array) -> float:
    """Root mean square; 0 of nothing."""
    return math.sqrt(float(np.mean(np.square(values, dtype=np.float64)))) if values.size else 0.0


def psnr_db(expected: Array, found: Array) -> float:
    """20 log10(range of `expected` / rms error), the range being maximum - minimum; infinite for equal arrays."""
    error = rms(found.astype(np.float64) - expected.astype(np.float64))
    return 20 * math.log10(span(expected) / error) if error else math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points that count: `places` (n, 2 or more; pixels, y and x last) and `scores` (n,), both float64."""

    places: Array
    scores: Array


def points_of(table: Array, columns: Sequence[str], threshold: float | None) -> Points:
    """The rows (k, columns) whose score reaches the threshold (None: is above 0).

    Places are the columns z, y, x; where none is called so, all but the score. The score is the column of that name, or
    else the last.
    """
    score = list(columns).index("score") if "score" in columns else len(columns) - 1
    places = [list(columns).index(name) for name in ("z", "y", "x") if name in columns]
    places = places or [number for number in range(len(columns)) if number != score]
    rows = table.reshape(-1, table.shape[-1]).astype(np.float64)
    rows = rows[rows[:, score] > 0 if threshold is None else rows[:, score] >= threshold]
    return Points(rows[:, places], rows[:, score])


def near_pairs(first: Array, second: Array, most_px: float) -> tuple[Array, Array, Array]:
    """Pairs of places (n, d) and (m, d) at most `most_px` apart: their numbers in both, and distances in pixels.

    As many pairs as there can be, each place in one at most, with the smallest sum of distances.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    if not len(first) or not len(second):
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    distance = cdist(first, second)
    left, right = linear_sum_assignment(np.where(distance > most_px, 1e6, distance))
    near = distance[left, right] <= most_px
    return left[near], right[near], distance[left, right][near]


def overlaps(first: Array, second: Array) -> Array:
    """IoU (intersection over union) of each pair of objects of two label images above MATCH_IOU; 0 is the background.

    At such an overlap the pairs are unique (Caicedo et al. 2019).
    """
    if first.shape != second.shape:
        return np.zeros(0)
    both = (first != 0) & (second != 0)
    pairs, shared = np.unique(np.stack([first[both], second[both]]), axis=1, return_counts=True)
    sizes, others = (dict(zip(*np.unique(labels, return_counts=True), strict=True)) for labels in (first, second))
    unions = np.array([sizes[a] + others[b] for a, b in pairs.T], dtype=np.float64) - shared
    overlap = shared / unions
    return np.asarray(overlap[overlap > MATCH_IOU])


def objects(labels: Array) -> int:
    """How many objects a label image has."""
    return len(np.unique(labels[labels != 0]))
