"""Times of every result without holding any: what a metric needs of it is a few numbers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from .._admission import block
from .._delivery import Delivery, Subscription
from .._result import Result, Stamps

if TYPE_CHECKING:
    from .._runtime import Runtime

MOST = 65_536
"""Results whose times wait to be counted: a minute of a thousand per second."""


class Seen(NamedTuple):
    """What is kept of a result."""

    camera: str
    stamps: Stamps
    late: bool
    suspect: bool


class Tap(Subscription):
    """Notes each result's times in the thread that publishes it (one append), and wakes nobody."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(block(1), delivery)
        self.missed = 0
        """Results whose times were not counted, since nobody had asked for so many before."""
        self._seen_times: deque[Seen] = deque()

    def take_all(self) -> list[Seen]:
        """What came since the last call, in order."""
        times = self._seen_times
        return [times.popleft() for _ in range(len(times))]

    def _offer(self, result: Result) -> None:
        self._seen += 1
        if len(self._seen_times) >= MOST:
            self.missed += 1
            return
        suspect = any(result.suspect.values())
        self._seen_times.append(Seen(result.frame.id.camera, result.stamps, result.state == "late", suspect))

    def _room(self) -> int | None:
        return None  # nothing waits for it


def tap(runtime: Runtime) -> Tap:
    """A tap on a runtime's results; `close` ends it."""
    made = Tap(runtime._path.delivery)
    runtime._path.delivery.join(made)
    return made
