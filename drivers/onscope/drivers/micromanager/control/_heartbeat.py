"""A sign of life for a hardware watchdog: a shutter that closes by itself when the acquisition process is gone."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

from onscope.runtime import ControlError

from .._core import Core, one_line
from ._calibration import Value


class Heartbeat:
    """Toggles a property from a thread of its own while `beat` is called in time; a context manager.

    The `property` of a `device` drives the input of a watchdog (a retriggerable timer, a PLC, an Arduino), which closes
    a shutter or opens an interlock when it has not changed for longer than it allows. It is toggled every `period_s`
    while the last `beat` is no older than `patience_s`: a loop that hangs stops it as surely as a process that is
    killed. `values` are the property's two values. A device that refuses ends it; `failure` is what it said.
    """

    def __init__(
        self,
        core: Core,
        device: str,
        property: str,
        period_s: float = 0.1,
        *,
        patience_s: float = 1.0,
        values: tuple[Value, Value] = (0, 1),
    ) -> None:
        if not 0 < period_s < patience_s:
            raise ControlError(
                f"found a period of {period_s:g} s and a patience of {patience_s:g} s, expected a patience that is "
                "longer than the period: give seconds"
            )
        self.failure: str | None = None
        self._core, self._device, self._property = core, device, property
        self._period_s, self._patience_s, self._values = period_s, patience_s, values
        self._last_s = -float("inf")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="onscope-heartbeat", daemon=True)
        self._thread.start()

    def beat(self) -> None:
        """All is well; called by whoever would notice if it were not. Costs nothing."""
        self._last_s = time.monotonic()

    @property
    def beating(self) -> bool:
        """Whether the property is toggled."""
        return not self._ended.is_set() and time.monotonic() - self._last_s <= self._patience_s

    def close(self) -> None:
        """No more; the watchdog does what it is there for."""
        self._ended.set()
        if self._thread is not threading.current_thread():
            self._thread.join(self._patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(self._period_s):
            if self.beating:
                number += 1
                try:
                    self._put(self._values[number % 2])
                except Exception as error:  # whatever a core or a device in Python raises
                    self.failure = one_line(error)
                    self._ended.set()

    def _put(self, value: Any) -> None:
        self._core.set_property(self._device, self._property, value)
