"""A server in virtual time: one queue per model, with priorities; instances that take batches from them."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ._cost import Cost
from ._facility import Server
from ._loop import Loop


@dataclass(slots=True, eq=False)
class Request:
    """A window at the server; `answer(what)` when it was run."""

    model: str
    priority: int
    answer: Callable[[Any], object]
    what: Any
    came: int = 0
    began: int = 0


class _Queue:
    """Requests of one model, in the order of their priority, then of their coming."""

    def __init__(self, cost: Cost, server: Server) -> None:
        self.classes: dict[int, deque[Request]] = {}
        self.waiting = 0
        batching = server.batching
        self.largest = min(batching.largest, cost.largest)
        self.preferred = sorted((each for each in batching.preferred if each <= self.largest), reverse=True)
        self.times = [[int(ms * 1e6) for ms in cost.times(batch)] for batch in range(1, self.largest + 1)]
        self.looked_at = -1

    def put(self, request: Request) -> None:
        if request.priority not in self.classes:
            self.classes[request.priority] = deque()
            self.classes = dict(sorted(self.classes.items()))
        self.classes[request.priority].append(request)
        self.waiting += 1

    def first(self) -> tuple[int, int]:
        """Priority and time of the one that goes next."""
        return next((priority, queue[0].came) for priority, queue in self.classes.items() if queue)

    def oldest(self) -> int:
        return min(queue[0].came for queue in self.classes.values() if queue)

    def size(self, now: int, delay_ns: int) -> int:
        """How many go as a batch now; 0: it is still waited for more."""
        fits = next((each for each in self.preferred if each <= self.waiting), 0)
        if self.waiting >= self.largest and not fits:
            return self.largest
        if fits:
            return fits
        return min(self.waiting, self.largest) if now - self.oldest() >= delay_ns else 0

    def take(self, number: int) -> list[Request]:
        taken: list[Request] = []
        for queue in self.classes.values():
            while queue and len(taken) < number:
                taken.append(queue.popleft())
        self.waiting -= number
        return taken


class Serving:
    """The server's part of a simulation."""

    def __init__(self, loop: Loop, server: Server, costs: dict[str, Cost], seed: str) -> None:
        self._loop, self._server = loop, server
        self._queues = {model: _Queue(cost, server) for model, cost in costs.items()}
        self._delay_ns = int(server.batching.delay_ms * 1e6)
        self._idle = server.instances
        self._random = random.Random(seed)
        self.busy_ns = 0
        self.batches: Counter[int] = Counter()
        self.waited_ns: dict[int, int] = {}
        """The longest that a request waited here, by its priority."""

    def take(self, request: Request) -> None:
        """A request has come."""
        request.came = self._loop.now
        self._queues[request.model].put(request)
        if self._idle:
            self._look(None)

    def _look(self, _: Any) -> None:
        now = self._loop.now
        while self._idle:
            ready: list[tuple[tuple[int, int], _Queue, int]] = []
            for queue in self._queues.values():
                if not queue.waiting:
                    continue
                if size := queue.size(now, self._delay_ns):
                    ready.append((queue.first(), queue, size))
                elif queue.looked_at != (until := queue.oldest() + self._delay_ns):
                    queue.looked_at = until
                    self._loop.at(until, self._look, None)
            if not ready:
                return
            _, queue, size = min(ready, key=lambda each: each[0])
            self._begin(queue, queue.take(size))

    def _begin(self, queue: _Queue, batch: list[Request]) -> None:
        now = self._loop.now
        times = queue.times[len(batch) - 1]
        took = times[int(self._random.random() * len(times))]
        self._idle -= 1
        self.busy_ns += took
        self.batches[len(batch)] += 1
        for request in batch:
            request.began = now
            waited = now - request.came
            if waited > self.waited_ns.get(request.priority, -1):
                self.waited_ns[request.priority] = waited
        self._loop.at(now + took, self._done, batch)

    def _done(self, batch: list[Request]) -> None:
        self._idle += 1
        for request in batch:
            request.answer(request.what)
        self._look(None)
