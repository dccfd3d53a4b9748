"""A histogram of times: counts by bucket, as Prometheus wants them. One thread adds; any may read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper edges of the buckets, s: from a hand-over (0.1 ms) to a worker that is given up (10 s), three per decade."""


class Histogram:
    """Times in seconds by bucket. A value on an edge is in the bucket that ends there."""

    def __init__(self, edges: Sequence[float] = SECONDS) -> None:
        self.edges = tuple(edges)
        self._counts = [0] * (len(self.edges) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one time; a negative one (clocks of two machines) counts as 0."""
        seconds = max(0.0, seconds)
        self._counts[bisect_left(self.edges, seconds)] += 1
        self._sum += seconds

    def read(self) -> tuple[list[tuple[str, float]], float]:
        """`(upper edge, count up to it)` in order, the last one "+Inf"; and the sum in seconds."""
        counts, total = list(self._counts), self._sum
        buckets, reached = [], 0
        for edge, count in zip((*map(str, self.edges), "+Inf"), counts, strict=True):
            reached += count
            buckets.append((edge, float(reached)))
        return buckets, total
