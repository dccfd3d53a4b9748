"""The one clock: monotonic nanoseconds, the same in every process of a machine."""

from __future__ import annotations

import time
from dataclasses import dataclass

# perf_counter is CLOCK_MONOTONIC on Linux, mach_absolute_time on macOS and QueryPerformanceCounter on Windows:
# all three count from one origin for the whole machine, so stamps of two processes can be subtracted.
now_ns = time.perf_counter_ns


@dataclass(frozen=True, slots=True)
class ClockPair:
    """One moment on both clocks, taken once per segment: it turns monotonic stamps into dates afterwards."""

    wall_ns: int
    monotonic_ns: int

    @classmethod
    def take(cls) -> ClockPair:
        """Read both clocks; the monotonic one twice, so that the pair is centred on the wall clock's reading."""
        before = now_ns()
        wall = time.time_ns()
        return cls(wall_ns=wall, monotonic_ns=(before + now_ns()) // 2)

    def wall_of(self, monotonic_ns: int) -> int:
        """Unix time in ns of a monotonic stamp in ns."""
        return self.wall_ns + monotonic_ns - self.monotonic_ns
