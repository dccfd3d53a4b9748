"""Latencies of a runtime's results, gathered a few times per second in a thread that no frame waits for."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from ._families import Families
from ._histogram import Histogram
from ._tap import Seen, tap

if TYPE_CHECKING:
    from .._runtime import Runtime

GATHER_S = 0.5


class Times:
    """Histograms of a runtime's results from now on, until `close`."""

    def __init__(self, runtime: Runtime) -> None:
        self._tap = tap(runtime)
        self._lock = threading.Lock()  # of the histograms alone: the live path never takes it
        self._results: Counter[tuple[str, str]] = Counter()
        self._suspect: Counter[str] = Counter()
        self._latency: dict[str, Histogram] = {}
        self._steps: dict[str, Histogram] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._gather_on, name="onscope-metrics", daemon=True)
        self._thread.start()

    def gather(self) -> None:
        """Count what came since the last time."""
        with self._lock:
            for seen in self._tap.take_all():
                self._count(seen)

    def add_to(self, families: Families) -> None:
        """Add results, latencies and steps."""
        self.gather()
        with self._lock:
            for (camera, state), count in sorted(self._results.items()):
                families.add("onscope_results", count, camera=camera, state=state)
            for camera, count in sorted(self._suspect.items()):
                families.add("onscope_results_suspect", count, camera=camera)
            families.add("onscope_results_uncounted", self._tap.missed)
            for camera, histogram in sorted(self._latency.items()):
                families.add("onscope_latency_seconds", histogram, camera=camera)
            for step, histogram in self._steps.items():
                families.add("onscope_step_seconds", histogram, step=step)

    def close(self) -> None:
        """Count what is there, and no more."""
        self._tap.close()
        self._ended.set()
        self._thread.join(2.0)
        self.gather()

    def _gather_on(self) -> None:
        while not self._ended.wait(GATHER_S):
            self.gather()

    def _count(self, seen: Seen) -> None:
        stamps = seen.stamps
        self._results[seen.camera, "late" if seen.late else "done"] += 1
        self._suspect[seen.camera] += seen.suspect
        self._latency.setdefault(seen.camera, Histogram()).add((stamps.delivered - stamps.received) / 1e9)
        for step, ms in stamps.steps_ms().items():
            self._steps.setdefault(step, Histogram()).add(ms / 1e3)
