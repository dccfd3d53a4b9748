"""The time that the devices live in: real, or one that passes only when somebody waits."""

from __future__ import annotations

import threading
from typing import Protocol

from onscope.runtime import now_ns


class Clock(Protocol):
    """Seconds since some moment, for devices that take time."""

    def now_s(self) -> float:
        """The time now, in seconds."""
        ...

    def wait_until(self, at_s: float, stop: threading.Event) -> bool:
        """Return True at `at_s`, or False as soon as `stop` is set."""
        ...

    def is_before(self, at_s: float) -> bool:
        """Whether `at_s` is still to come; asked by whoever waits for a device in a loop."""
        ...


class RealClock:
    """Real time, from the runtime's monotonic clock, since it was made."""

    def __init__(self) -> None:
        self._began_ns = now_ns()

    def now_s(self) -> float:
        return (now_ns() - self._began_ns) / 1e9

    def wait_until(self, at_s: float, stop: threading.Event) -> bool:
        left_s = at_s - self.now_s()
        return not (stop.wait(left_s) if left_s > 0 else stop.is_set())

    def is_before(self, at_s: float) -> bool:
        return self.now_s() < at_s


class PatientClock:
    """Time that stands still until somebody waits, and then is over at once: as fast as the computer can.

    For simulations without a user: exposures, moves and delays have their length in the sample's time and in all
    metadata, and cost none.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._lock = threading.Lock()

    def now_s(self) -> float:
        return self._now_s

    def wait_until(self, at_s: float, stop: threading.Event) -> bool:
        if stop.is_set():
            return False
        with self._lock:
            self._now_s = max(self._now_s, at_s)
        return True

    def is_before(self, at_s: float) -> bool:
        self.wait_until(at_s, threading.Event())
        return False
