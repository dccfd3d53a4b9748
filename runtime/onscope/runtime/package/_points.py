"""Compare two lists of points whose rows have no fixed order where scores are equal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Pairs(NamedTuple):
    """Rows of two point lists side by side: `expected[i]` belongs to `found[i]`; `lonely` have no partner."""

    expected: Array
    found: Array
    lonely: Array
    score: int
    """Index of the score's column."""


def pair_points(expected: Array, found: Array, columns: Sequence[str], threshold: float | None) -> Pairs:
    """Pair the rows (k, columns) whose score reaches the threshold (None: is above 0), in float64.

    The pairs are those with the smallest sum of distances over the columns that are not the score.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    score = columns.index("score") if "score" in columns else len(columns) - 1
    rows, others = (_kept(points, score, threshold) for points in (expected, found))
    places = [index for index in range(rows.shape[1]) if index != score]
    left, right = linear_sum_assignment(cdist(rows[:, places], others[:, places]))
    lonely = np.concatenate([np.delete(rows, left, axis=0), np.delete(others, right, axis=0)])
    return Pairs(rows[left], others[right], lonely, score)


def _kept(points: Array, score: int, threshold: float | None) -> Array:
    rows = points.reshape(-1, points.shape[-1]).astype(np.float64)
    scores = rows[:, score]
    return rows[scores > 0 if threshold is None else scores >= threshold]
