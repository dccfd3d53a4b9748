"""Cables: bytes take their time one message after the other; what two cables carry begins on both at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._facility import ON_THE_WIRE
from ._loop import Loop


class Wire:
    """One direction of a cable of so many Gbit/s (None: no time at all)."""

    def __init__(self, gbit: float | None) -> None:
        self._ns_per_byte = 0.0 if gbit is None else 8 * ON_THE_WIRE / gbit
        self.busy_ns = 0
        self._free = 0

    def carry(self, now: int, size: int) -> tuple[int, int]:
        """When a message that comes now begins and ends on it, if nothing else holds it up."""
        took = int(size * self._ns_per_byte)
        begins = max(now, self._free)
        self._free = begins + took
        self.busy_ns += took
        return begins, begins + took


class Way:
    """Over one cable, then another, with a switch between them that cuts through; a message takes `message_ns` more."""

    def __init__(self, loop: Loop, first: Wire, second: Wire, message_ns: int) -> None:
        self._loop, self._first, self._second, self._message_ns = loop, first, second, message_ns

    def send(self, size: int, there: Callable[[Any], object], what: Any) -> None:
        """Have `there(what)` called when all of the message is there."""
        begins, ends = self._first.carry(self._loop.now, size)
        if begins > self._loop.now:
            # The second cable is another's until then.
            self._loop.at(begins, self._cross, (size, ends, there, what))
        else:
            self._cross((size, ends, there, what))

    def _cross(self, message: tuple[int, int, Callable[[Any], object], Any]) -> None:
        size, ends, there, what = message
        _, through = self._second.carry(self._loop.now, size)
        self._loop.at(max(ends, through) + self._message_ns, there, what)
