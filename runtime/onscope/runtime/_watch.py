"""The watchdog: a model that hangs does not hold the results up for ever, a leaking one does not take the machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from ._clock import now_ns
from ._dispatch import Dispatcher
from ._spare import Spare

LOOK_S = 0.2
LOOKS_PER_WEIGHING = 5
LATE_NS = 500_000_000
"""A look that comes so much later than it should tells that the machine, or the program, stood still."""
LARGEST_SHARE = 0.5
"""Of the machine's memory: a worker that has grown larger than this is replaced."""


OPENING_PATIENCE_S = 600.0
"""How long one step of opening a lane may take: engines that compile graphs for a card take minutes."""
TIMES_THE_WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Terms:
    """What a worker is given, and what is put up with.

    `provider` and CPU `threads` of its engine; `patience_s` seconds for one window (or twenty times its warm-up, when
    that is longer) before the worker counts as hanging; `memory_mb` before it counts as leaking (None: half of the
    machine's).
    """

    provider: str = "auto"
    threads: int | None = None
    patience_s: float = 10.0
    memory_mb: float | None = None


class Watchdog:
    """Looks after one worker after the other, from a thread of its own.

    `pid()` is the worker's process, or 0 for none to weigh; `give_up(why)` ends it, and `give_up_stuck(why)` does so
    without the account's lock, which whoever sends to a worker that takes no messages holds. `warm_s` is what the
    slowest window took in its warm-up. `spare()` is a second worker that is prepared (None: there is none).
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        terms: Terms,
        pid: Callable[[], int],
        give_up: Callable[[str], object],
        give_up_stuck: Callable[[str], object],
        spare: Callable[[], Spare | None] = lambda: None,
    ) -> None:
        self.warm_s = 0.0
        self._spare = spare
        self._dispatcher = dispatcher
        self._patience_s = terms.patience_s
        self._pid = pid
        self._give_up = give_up
        self._give_up_stuck = give_up_stuck
        self._largest = terms.memory_mb * 2**20 if terms.memory_mb else psutil.virtual_memory().total * LARGEST_SHARE
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="onscope-watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    def _watch(self) -> None:
        looks, last_ns = 0, now_ns()
        while not self._end.wait(LOOK_S):
            looks += 1
            now = now_ns()
            since_ns, last_ns = now - last_ns, now
            late = since_ns - LOOK_S * 1e9 > LATE_NS
            if not self._dispatcher.changed.acquire(timeout=self._patience_s):
                self._give_up_stuck(f"it took no message for {self._patience_s:.0f} s")
                continue
            try:
                link = self._dispatcher.link
                # Late: the whole program stood still, and the worker with it. Away: nobody knows what it does.
                if late or (link is not None and link.away):
                    self._excuse(since_ns)
                why = self._hangs()
            finally:
                self._dispatcher.changed.release()
            weighs = looks % LOOKS_PER_WEIGHING == 0
            if not why and weighs:
                why = self._overweight(self._pid())
            if why:
                self._give_up(why)
            if (spare := self._spare()) is not None:
                self._look_after(spare, since_ns if late or spare.link.away else 0, weighs)

    def _look_after(self, spare: Spare, excused_ns: int, weighs: bool) -> None:
        spare.heard_ns += excused_ns
        if (now_ns() - spare.heard_ns) / 1e9 > OPENING_PATIENCE_S:
            spare.give_up(f"it said nothing for {OPENING_PATIENCE_S:.0f} s")
        elif weighs and spare.link.mortal and spare.link.here and (why := self._overweight(spare.pid)):
            spare.give_up(why)

    def _excuse(self, excused_ns: int) -> None:
        self._dispatcher.turn_ns += excused_ns
        for route in self._dispatcher.routes.values():
            route.asked_ns += excused_ns if route.asked_ns else 0

    def _hangs(self) -> str:
        dispatcher = self._dispatcher
        if dispatcher.link is None:
            return ""
        now = now_ns()
        waited_s = (now - dispatcher.turn_ns) / 1e9
        if dispatcher.in_flight and waited_s > max(self._patience_s, self.warm_s * TIMES_THE_WARM_UP):
            return f"it gave no answer for {waited_s:.0f} s"
        for route in dispatcher.routes.values():
            opening = route.asked_ns and not route.lane.ready and not route.why_not
            if opening and (now - route.asked_ns) / 1e9 > OPENING_PATIENCE_S:
                return f"it could not open {route} within {OPENING_PATIENCE_S:.0f} s"
        return ""

    def _overweight(self, pid: int) -> str:
        if not pid:
            return ""
        try:
            memory = psutil.Process(pid).memory_info()
            takes = memory.rss - getattr(memory, "shared", 0)  # Linux counts slots that it has seen as its own
        except (psutil.Error, OSError):  # it has just ended, or nothing can be asked now
            return ""
        if takes <= self._largest:
            return ""
        return f"it took {takes / 2**20:.0f} MB of memory, expected at most {self._largest / 2**20:.0f} MB"
