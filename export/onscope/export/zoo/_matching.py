"""How well found instances are the true ones: pairs by intersection over union, counted at several least overlaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

Labels = npt.NDArray[np.int32]
OVERLAPS = (0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Matched:
    """Of one or several images: instances that are there, that were found, and the overlaps of the pairs.

    `overlaps` are the intersections over union of those pairs that make their sum largest.
    """

    true: int
    found: int
    overlaps: tuple[float, ...]

    def __add__(self, other: Matched) -> Matched:
        return Matched(self.true + other.true, self.found + other.found, self.overlaps + other.overlaps)

    def hits(self, least: float) -> int:
        """Pairs that overlap by at least `least`."""
        return sum(overlap >= least for overlap in self.overlaps)

    def f1(self, least: float) -> float:
        """2 hits / (true + found); 1 where nothing is and nothing was found."""
        both = self.true + self.found
        return 2 * self.hits(least) / both if both else 1.0

    def average_precision(self, least: float) -> float:
        """Hits / (hits + spurious + missed), as the Data Science Bowl 2018 and StarDist count."""
        hits = self.hits(least)
        every = self.true + self.found - hits
        return hits / every if every else 1.0

    def mean_overlap(self, least: float = 0.5) -> float:
        """Mean intersection over union of the pairs of at least `least`; NaN without any."""
        pairs = [overlap for overlap in self.overlaps if overlap >= least]
        return float(np.mean(pairs)) if pairs else float("nan")

    def panoptic(self) -> float:
        """Panoptic quality: F1 at 0.5 times the mean overlap of its pairs (A. Kirillov et al., CVPR 2019)."""
        return self.f1(0.5) * self.mean_overlap() if self.hits(0.5) else self.f1(0.5)


def matched(truth: Labels, found: Labels) -> Matched:
    """Instances (int32 (y, x), 0 for none) against each other; numbers need not be in a row."""
    true_names, true = np.unique(truth, return_inverse=True)
    found_names, seen = np.unique(found, return_inverse=True)
    pairs = np.zeros((len(true_names), len(found_names)))
    np.add.at(pairs, (true.ravel(), seen.ravel()), 1)
    union = pairs.sum(axis=1)[:, None] + pairs.sum(axis=0)[None, :] - pairs
    overlaps = (pairs / union)[true_names > 0][:, found_names > 0]
    rows, columns = linear_sum_assignment(-overlaps)
    best = tuple(float(overlap) for overlap in overlaps[rows, columns] if overlap > 0)
    return Matched(int((true_names > 0).sum()), int((found_names > 0).sum()), best)
