"""Vital signs of the processes of a run, once per interval."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil

from onscope.runtime import now_ns
from onscope.runtime._shm import PREFIX, SYSTEM_FOLDER

from .._rows import spread


@dataclass(frozen=True)
class Vitals:
    """One interval: its end in seconds from the start, frames per second, percentiles, and the state at its end.

    `submit_us`, `latency_ms` are of the interval's frames and results alone; the ledger's counts of the whole run.
    """

    at_s: float
    frames_per_s: float
    results_per_s: float
    submit_us: dict[str, float]
    latency_ms: dict[str, float]
    ledger: dict[str, int]
    saved: int
    checked: int
    own_mb: dict[str, float]
    shm_mb: float
    files: dict[str, int]
    threads: dict[str, int]


@dataclass
class Gatherer:
    """Collects times as they come, and makes Vitals of them. Lists are appended to by one thread each."""

    began_ns: int = field(default_factory=now_ns)
    submit_us: list[float] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    _last_ns: int = 0

    def take(self, pids: Mapping[str, int], ledger: dict[str, int], saved: int, checked: int) -> Vitals:
        """The interval since the last call."""
        now = now_ns()
        seconds = (now - (self._last_ns or self.began_ns)) / 1e9
        self._last_ns = now
        # What was appended until now; taken out of the front, while others append at the end.
        submits, latencies = (_cut(times) for times in (self.submit_us, self.latency_ms))
        processes = {name: psutil.Process(pid) for name, pid in pids.items() if psutil.pid_exists(pid)}
        own, files, threads = {}, {}, {}
        for name, process in processes.items():
            with contextlib.suppress(psutil.Error):  # it ended just now: the run tells why
                memory = process.memory_info()
                # Slots that a process has looked at are counted as its own, and more of them the longer it runs.
                own[name] = round((memory.rss - getattr(memory, "shared", 0)) / 1e6, 2)
                files[name] = len(process.open_files()) if sys.platform == "win32" else process.num_fds()
                threads[name] = process.num_threads()
        return Vitals(
            round((now - self.began_ns) / 1e9, 2),
            round(len(submits) / seconds, 2),
            round(len(latencies) / seconds, 2),
            spread(submits, 1) if submits else {},
            spread(latencies) if latencies else {},
            ledger,
            saved,
            checked,
            own,
            _shared_mb(),
            files,
            threads,
        )


def _cut(times: list[float]) -> list[float]:
    n = len(times)
    taken = times[:n]
    del times[:n]
    return taken


def _shared_mb() -> float:
    if not SYSTEM_FOLDER.is_dir():
        return 0.0
    total = 0
    for path in SYSTEM_FOLDER.glob(f"{PREFIX}-{os.getpid()}-*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return round(total / 1e6, 2)
