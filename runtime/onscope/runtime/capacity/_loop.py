"""Virtual time: what is to happen, in the order in which it does."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any


class Loop:
    """Calls what was asked for at its moment (ns); what is asked for at one moment keeps its order."""

    def __init__(self) -> None:
        self.now = 0
        self.steps = 0
        self._next: list[tuple[int, int, Callable[[Any], object], Any]] = []
        self._numbers = count()

    def at(self, when: int, call: Callable[[Any], object], what: Any) -> None:
        """Have `call(what)` called at a moment, which is not before now."""
        heapq.heappush(self._next, (when, next(self._numbers), call, what))

    def run(self) -> None:
        """Until nothing is asked for any more."""
        waiting, pop = self._next, heapq.heappop
        while waiting:
            self.now, _, call, what = pop(waiting)
            self.steps += 1
            call(what)
