"""How many frames of each action were asked for, and how many have come."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from onscope.runtime.feedback import Action

from ._shots import Series

MOST = 4096
"""Actions remembered."""


class Frames(NamedTuple):
    """Frames of one action that have come, and that were asked for."""

    done: int
    asked: int


class Account:
    """Frames by action; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: OrderedDict[int, Series] = OrderedDict()
        self._done: dict[int, int] = {}

    def opened(self, series: Series) -> None:
        with self._lock:
            self._series[series.number] = series
            self._done[series.number] = 0
            while len(self._series) > MOST:
                number, _ = self._series.popitem(last=False)
                del self._done[number]

    def forget(self, number: int) -> None:
        """It was not queued after all."""
        with self._lock:
            self._series.pop(number, None)
            self._done.pop(number, None)

    def came(self, number: int, frames: int = 1) -> None:
        """Frames of the series `number` have come; 0, the routine, is not counted."""
        with self._lock:
            if number in self._done:
                self._done[number] += frames

    def of(self, action: Action) -> Frames:
        """Of this very action; where it is not known, of the last one that is equal. (0, 0): it was never queued."""
        with self._lock:
            newest = list(reversed(self._series.values()))
            found = next((one for one in newest if one.action is action), None) or next(
                (one for one in newest if one.action == action), None
            )
            return Frames(0, 0) if found is None else Frames(self._done[found.number], len(found.shots))

    def number(self, number: int) -> Frames:
        with self._lock:
            series = self._series.get(number)
            return Frames(0, 0) if series is None else Frames(self._done[number], len(series.shots))
