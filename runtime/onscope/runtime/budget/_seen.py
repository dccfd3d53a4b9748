"""What came of the last windows at one level: how long they took, and how fast they come."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of one window: when it was delivered (ns), and how long it took from receipt to delivery (ms).

    `cost_ms` is the worker's part of it, None where it never came there (it expired, then `latency_ms` is infinite).
    `offered` counts the windows that have come so far, those that were left out too. `level` is that which it was
    made at.
    """

    at_ns: int
    latency_ms: float
    cost_ms: float | None
    offered: int
    level: int


class Sliding:
    """The last `size` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._above = size - math.ceil(SHARE * size)
        self._seen: deque[Seen] = deque(maxlen=size)

    def add(self, seen: Seen) -> None:
        self._seen.append(seen)

    def clear(self) -> None:
        self._seen.clear()

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def full(self) -> bool:
        return len(self._seen) == self._size

    @property
    def latency_ms(self) -> float:
        """The 95th percentile of what they took; what the window still lacks counts as in time (0)."""
        return self._high([each.latency_ms for each in self._seen])

    @property
    def cost_ms(self) -> float:
        """The 95th percentile of the worker's part."""
        return self._high(self._costs)

    @property
    def usual_ms(self) -> float:
        """The median of the worker's part; NaN where there is none."""
        costs = sorted(self._costs)
        return costs[len(costs) // 2] if costs else math.nan

    @property
    def mean_ms(self) -> float:
        costs = self._costs
        return sum(costs) / len(costs) if costs else math.nan

    @property
    def period_ms(self) -> float:
        """The time from one window that comes to the next; infinite where that is not known."""
        if len(self._seen) < 2:
            return math.inf
        first, last = self._seen[0], self._seen[-1]
        came = last.offered - first.offered
        return (last.at_ns - first.at_ns) / 1e6 / came if came > 0 else math.inf

    @property
    def _costs(self) -> list[float]:
        return [each.cost_ms for each in self._seen if each.cost_ms is not None]

    def _high(self, values: list[float]) -> float:
        return sorted(values)[-1 - self._above] if len(values) > self._above else 0.0
