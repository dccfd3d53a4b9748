"""How the microscope stood at any time of the last while: a frame is judged by the setting that it was taken with."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque

from ..._clock import now_ns
from ..._frame import Frame
from .._controller import Setting

KEPT = 256


class Settings:
    """A history; any thread may call any method."""

    def __init__(self, first: Setting) -> None:
        self._lock = threading.Lock()
        self._times = deque([0], KEPT)
        self._settings = deque([first], KEPT)

    def note(self, setting: Setting) -> Setting:
        """It stands so now."""
        with self._lock:
            if setting != self._settings[-1]:
                self._times.append(now_ns())
                self._settings.append(setting)
        return setting

    @property
    def now(self) -> Setting:
        """The last one."""
        with self._lock:
            return self._settings[-1]

    def of(self, frame: Frame) -> Setting:
        """That in which the frame's exposure began."""
        began_ns = frame.received_ns - round((frame.exposure_ms or 0.0) * 1e6)
        with self._lock:
            return self._settings[max(0, bisect_right(self._times, began_ns) - 1)]
