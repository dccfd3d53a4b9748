"""A worker and a queue of two in virtual time: what a controller would see of it, and what it decides."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from onscope.runtime.budget import Change, Controller, Seen, Terms


@dataclass
class Came:
    """Of a simulated run: the changes, and (seconds, latency in ms, level) of each result."""

    changes: list[Change] = field(default_factory=list)
    results: list[tuple[float, float, int]] = field(default_factory=list)

    def between(self, start_s: float, end_s: float) -> int:
        return sum(start_s <= each.at_ns / 1e9 < end_s for each in self.changes)

    def most_in(self, span_s: float) -> int:
        starts = [each.at_ns / 1e9 for each in self.changes]
        return max((self.between(start, start + span_s) for start in starts), default=0)


def simulate(
    terms: Terms,
    costs: Sequence[float],
    load: Callable[[float], float],
    *,
    seconds: float,
    period_ms: float = 20.0,
    noise: float = 0.0,
    depth: int = 2,
    seed: int = 0,
    expect: bool = False,
) -> Came:
    """`costs` (ms) by level, times `load` at that second, times a log-normal number of the width `noise`."""
    controller, came, rng = Controller(terms), Came(), random.Random(seed)
    if expect:
        controller.expect(costs)
    waiting: deque[float] = deque()
    free_ms, offered, begun = 0.0, 0, 0

    def heard(change: Change | None) -> None:
        if change is not None:
            came.changes.append(change)

    def serve(until_ms: float) -> None:
        nonlocal free_ms
        while waiting and max(free_ms, waiting[0]) <= until_ms:
            received = waiting.popleft()
            start = max(free_ms, received)
            level = controller.level
            cost = costs[level] * load(start / 1e3) * math.exp(rng.gauss(0.0, noise))
            free_ms = start + cost
            came.results.append((free_ms / 1e3, free_ms - received, level))
            heard(controller.see(Seen(round(free_ms * 1e6), free_ms - received, cost, offered, level)))

    for number in range(round(seconds * 1e3 / period_ms)):
        now = number * period_ms
        serve(now)
        offered += 1
        every = terms.every[controller.level]
        begun += 1
        if every == 0:
            heard(controller.tick(round(now * 1e6)))
        if not every or begun % every:
            continue
        if len(waiting) == depth:
            waiting.popleft()
        waiting.append(now)
    return came
