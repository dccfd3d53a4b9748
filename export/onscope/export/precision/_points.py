"""Points of a variant against those of the float weights: how many have a partner, and how far apart they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._agreement import near_pairs, points_of
from .._original import Array

NEAR_PX = 1.5
"""Points pair up to this distance, in pixels; that of the shipped networks' own quality too."""


@dataclass(frozen=True, slots=True)
class PointCounts:
    """Counts of one or more frames, to be added up."""

    expected: int = 0
    found: int = 0
    paired: int = 0
    squared_px2: float = 0.0
    score_off: float = 0.0

    def __add__(self, other: PointCounts) -> PointCounts:
        return PointCounts(
            self.expected + other.expected,
            self.found + other.found,
            self.paired + other.paired,
            self.squared_px2 + other.squared_px2,
            self.score_off + other.score_off,
        )

    @property
    def f1(self) -> float:
        """2 * pairs / all points; 1 where neither has any."""
        return 2 * self.paired / (self.expected + self.found) if self.expected + self.found else 1.0

    @property
    def rms_px(self) -> float:
        """Distance of the pairs, in pixels."""
        return float(np.sqrt(self.squared_px2 / max(1, self.paired)))

    @property
    def apart(self) -> float:
        """Distance and difference in score of the pairs together, from 0 to 1."""
        return float(min(1.0, self.rms_px / NEAR_PX / 2 + self.score_off / max(1, self.paired) / 2))


def count_points(expected: Array, found: Array, columns: Sequence[str], threshold: float | None) -> PointCounts:
    """Pair the rows (k, columns) whose score reaches the threshold (None: is above 0)."""
    want, have = (points_of(table, columns, threshold) for table in (expected, found))
    rows, others, distance = near_pairs(want.places, have.places, NEAR_PX)
    off = float(np.sum(np.abs(want.scores[rows] - have.scores[others])))
    return PointCounts(len(want.scores), len(have.scores), len(rows), float(np.sum(distance**2)), off)
