"""The errors of all elements of all inputs in one histogram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from onscope.runtime.package import pair_points

from .._agreement import span
from .._original import Array

LOW, HIGH, PER_DECADE = -10, 0, 6
"""Powers of ten that the bins span, and bins per power."""
EDGES = np.logspace(LOW, HIGH, (HIGH - LOW) * PER_DECADE + 1)


@dataclass(frozen=True, eq=False)
class Errors:
    """How many elements have which error, relative to the range of the network's output.

    `counts` lie between the neighbours of `EDGES`, larger errors in the last; `equal` is what lies below them all.
    `rounded` are elements of whole numbers that are off by 1 count, whatever that is of the range.
    """

    counts: Array
    equal: int
    rounded: int = 0

    @classmethod
    def none(cls) -> Errors:
        """Of nothing yet."""
        return cls(np.zeros(len(EDGES) - 1, np.int64), 0)

    def with_(self, expected: Array, found: Array, settings: Mapping[str, Any]) -> Errors:
        """The same and the errors of one output; of points those of the pairs, each relative to its column's range."""
        if expected.shape != found.shape:
            return self
        rounded = 0
        if settings.get("decode") == "points" and expected.ndim >= 2:
            pairs = pair_points(expected, found, settings["columns"], settings.get("threshold"))
            width: Any = np.array([span(column) for column in pairs.expected.T])
            error = np.abs(pairs.found - pairs.expected) / width
        else:
            error = np.abs(found.astype(np.float64) - expected.astype(np.float64))
            if expected.dtype.kind in "iu":
                rounded = int(np.sum(error == 1))
                error = error[error != 1]
            error = error / span(expected)
        error = error[np.isfinite(error)]
        large = error[error >= EDGES[0]]
        counts, _ = np.histogram(np.minimum(large, EDGES[-1]), EDGES)
        return Errors(self.counts + counts, self.equal + int(error.size - large.size), self.rounded + rounded)

    @property
    def total(self) -> int:
        """Elements that were compared."""
        return int(self.counts.sum()) + self.equal + self.rounded
