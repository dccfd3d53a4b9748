"""Metrics of a runtime, and of a box, for Prometheus."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from .._clock import now_ns
from .._events import Event
from ._counters import BoxCounters
from ._families import Families
from ._runtime_readings import read_runtime
from ._times import Times

if TYPE_CHECKING:
    from .._runtime import Runtime


class Metrics:
    """What a scrape tells of a runtime (or of none: of the process and its events); a collector of prometheus_client.

    It costs the live path one append per result; a scrape reads the ledger's counts as anyone may. `close` when the
    runtime closes, or leave it. `tell` counts an event that comes from elsewhere; those of the runtime are counted
    by themselves.
    """

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._began_ns = now_ns()
        self._events: Counter[str] = Counter()
        self._runtime = runtime
        self._times = None if runtime is None else Times(runtime)
        self._deaf = False
        if runtime is not None:
            self._listen(runtime)

    def tell(self, event: Event) -> None:
        """Count an event."""
        self._events[event.kind] += 1

    def close(self) -> None:
        """Watch no more; what was counted can still be read."""
        self._deaf = True
        if self._times is not None:
            self._times.close()

    def describe(self) -> list[Any]:
        """For prometheus_client: nothing is collected when it is registered."""
        return []

    def collect(self) -> list[Any]:
        """For prometheus_client: all metrics now."""
        families = Families()
        families.info(
            "onscope_build", version=_version(), python=platform.python_version(), system=platform.system().lower()
        )
        families.add("onscope_uptime_seconds", (now_ns() - self._began_ns) / 1e9)
        for kind, count in sorted(self._events.copy().items()):
            families.add("onscope_events", count, kind=kind)
        if self._runtime is not None and self._times is not None:
            read_runtime(self._runtime, families)
            families.add("onscope_worker_restarts", self._events["worker died"])
            self._times.add_to(families)
        return families.made()

    def _listen(self, runtime: Runtime) -> None:
        before = runtime._tell.heard

        def both(event: Event) -> None:
            before(event)
            if not self._deaf:
                self.tell(event)

        runtime._tell.heard = both


class BoxMetrics(Metrics):
    """What a scrape tells of a box: how many PCs are linked, what it counts (None: nothing), and the process."""

    def __init__(self, sessions: Callable[[], int], counters: BoxCounters | None = None) -> None:
        super().__init__()
        self._sessions = sessions
        self._counters = counters

    def collect(self) -> list[Any]:
        """For prometheus_client: all metrics now."""
        counters, families = self._counters, Families()
        families.add("onscope_box_sessions", self._sessions())
        if counters is None:
            return super().collect() + families.made()
        for outcome, count in counters.greetings.copy().items():
            families.add("onscope_box_greetings", count, outcome=outcome)
        families.add("onscope_box_windows", counters.windows, state="done")
        families.add("onscope_box_windows", counters.failed, state="failed")
        families.add("onscope_box_window_seconds", counters.took)
        families.add("onscope_box_received_bytes", counters.received_bytes)
        families.add("onscope_box_sent_bytes", counters.sent_bytes)
        families.add("onscope_box_saved_by_packing_bytes", counters.saved_bytes)
        families.add("onscope_box_malformed_messages", counters.malformed)
        families.add("onscope_box_files_stored", counters.files)
        families.add("onscope_box_worker_deaths", counters.worker_deaths)
        return super().collect() + families.made()


def _version() -> str:
    try:
        return version("onscope")
    except PackageNotFoundError:
        return "unknown"
