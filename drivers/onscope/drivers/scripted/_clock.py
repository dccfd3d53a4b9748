"""Real time, waited for precisely; another clock takes its place where time is to be chosen."""

from __future__ import annotations

import time
from typing import Protocol

from onscope.runtime import now_ns

SPIN_NS = 200_000
"""The last part of a wait, in which the system's sleep is too coarse: 0.06 ms late as a rule, 0.2 ms at times."""


class Clock(Protocol):
    """What a scripted camera knows of time."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds."""
        ...

    def wait_until(self, due_ns: int) -> None:
        """Come back at `due_ns`, or soon after."""
        ...


class RealClock:
    """The one clock of the runtime."""

    def now_ns(self) -> int:
        return now_ns()

    def wait_until(self, due_ns: int) -> None:
        while (ahead_ns := due_ns - now_ns()) > 0:
            # A sleep of 0 gives other threads their turn, which a bare loop would keep from them.
            time.sleep(max(ahead_ns - SPIN_NS, 0) / 1e9)
