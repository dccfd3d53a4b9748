"""What becomes of readings: the newest, a record of them that stays small, and a warning when a GPU is slowed down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._events import Event, Tell
from ._reading import Reading

PATIENCE_S = 5.0
"""A GPU that is slowed down for so long is told of, and that it is not any more after as long."""
SAVED_EVERY_S = 60.0
MOST = 600
"""Readings that are kept; of more, every second one goes, again and again."""
COLUMNS = ("at_ns", "clock_mhz", "memory_clock_mhz", "temperature_c", "power_w", "throttled")


class Clocks:
    """The readings of one run. `note` enters the record into a recording's manifest."""

    def __init__(self, tell: Tell, note: Callable[[str, Any], object] = lambda name, value: None) -> None:
        self.latest: Reading | None = None
        self.note = note
        self._tell = tell
        self._rows: list[list[Any]] = []
        self._every, self._seen = 1, 0
        self._throttled_s = 0.0
        self._reasons: set[str] = set()
        self._told = False
        self._since_ns = 0
        self._saved_ns = 0

    def add(self, reading: Reading) -> None:
        """One more; in the order of their times."""
        before, self.latest = self.latest, reading
        passed_s = 0.0 if before is None else max(0.0, (reading.at_ns - before.at_ns) / 1e9)
        if reading.throttled:
            self._throttled_s += passed_s
            self._reasons |= set(reading.reasons)
        if self._seen % self._every == 0:
            self._rows.append([*(reading.message()[name] for name in COLUMNS[:-1]), reading.throttled])
            if len(self._rows) > MOST:
                self._rows, self._every = self._rows[::2], self._every * 2
        self._seen += 1
        changed = self._warn(reading)
        if changed or self._seen == 1 or (reading.at_ns - self._saved_ns) / 1e9 >= SAVED_EVERY_S:
            self.save()

    def save(self) -> None:
        """Enter what is known by now."""
        if self.latest is not None:
            self._saved_ns = self.latest.at_ns
            self.note("gpu_clocks", self.described)

    @property
    def described(self) -> dict[str, Any]:
        """As plain values: rows of `columns`, oldest first, and for how long in all it was slowed down, and why."""
        return {
            "columns": list(COLUMNS),
            "rows": list(self._rows),
            "every": self._every,
            "throttled_s": round(self._throttled_s, 1),
            "reasons": sorted(self._reasons),
        }

    def _warn(self, reading: Reading) -> bool:
        """Tell that it is slowed down, or is no more, once it has been so for a while; whether that was told."""
        if reading.throttled == self._told:
            self._since_ns = 0
            return False
        self._since_ns = self._since_ns or reading.at_ns
        if (reading.at_ns - self._since_ns) / 1e9 < PATIENCE_S:
            return False
        self._told, self._since_ns = reading.throttled, 0
        if reading.throttled:
            why = f"the GPU is slowed down ({', '.join(reading.reasons)}; {reading})"
            self._tell(Event("warning", f"{why}: results come later, look at its cooling and its power limit"))
        else:
            self._tell(Event("preparing", f"the GPU is not slowed down any more ({reading})"))
        return True
