"""How long the microscope is without answers after the worker was killed."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from threading import Condition

import psutil

from onscope.runtime import Event, Pipeline, Runtime, keep_newest, now_ns

from ._material import ListSource, images
from ._plan import Plan
from ._rows import Row, spread

BUDGET_S = 1.0
PER_RUNTIME = 2
"""Kills of one runtime's worker: the third within 30 s would end the retries."""
PATIENCE_S = 60.0


class _Events:
    def __init__(self) -> None:
        self._changed = Condition()
        self._seen: list[Event] = []

    def tell(self, event: Event) -> None:
        with self._changed:
            self._seen.append(event)
            self._changed.notify_all()

    def when(self, kind: str, begins: str, after_ns: int) -> int:
        """The moment of the first such event after `after_ns`; waits for it."""

        def found() -> Event | None:
            for event in self._seen:
                if event.kind == kind and event.message.startswith(begins) and event.at_ns > after_ns:
                    return event
            return None

        with self._changed:
            event = self._changed.wait_for(found, PATIENCE_S)
        if event is None:
            raise RuntimeError(f"found no event {kind!r} within {PATIENCE_S:.0f} s of the kill, expected one")
        return event.at_ns


def measure(plan: Plan, pipeline: Pipeline, named: str) -> Iterator[Row]:
    """kill -9, then: told that it died, the new process speaks, its networks are warm again."""
    source = ListSource(images(plan.size, 2))
    told, up, ready = [], [], []
    left = plan.kills
    while left:
        events = _Events()
        with Runtime(pipeline, admission=keep_newest(2), on_event=events.tell) as runtime:
            runtime.prepare(source.spec())
            for _ in range(min(left, PER_RUNTIME)):
                for _ in runtime.stream(source, 2):
                    pass
                killed = now_ns()
                psutil.Process(runtime.worker_pid).kill()
                told.append((events.when("worker died", "", killed) - killed) / 1e9)
                up.append((events.when("preparing", "opening", killed) - killed) / 1e9)
                ready.append((events.when("worker back", "", killed) - killed) / 1e9)
                left -= 1
    detail = {"told_s": spread(told, 4), "up_s": spread(up, 4), "ready_s": spread(ready, 4)}
    seconds = statistics.median(up)
    yield Row(
        "worker after kill -9: process up", f"{seconds:.2f} s", "", None, "at most 1 s", seconds <= BUDGET_S, detail
    )
    yield Row(f"worker after kill -9: {named} warm again", f"{statistics.median(ready):.2f} s", "", None, "reported")
