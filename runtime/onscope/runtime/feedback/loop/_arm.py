"""Armed or in shadow mode: told and journalled, at the start and whenever it changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..._errors import ControlError, RecordError
from ..._events import Kind
from ._parts import Parts

LOOK_S = 0.002
ARMED = "armed: what the rules of {} ask for is carried out, within the limits"
SHADOW = (
    "NOTHING is carried out: the rules of {} decide and everything is journalled; arm it (armed=True, --arm) when you "
    "trust them"
)


class Arming:
    """Changes between the two; any thread may call its methods, which come one after the other."""

    def __init__(self, parts: Parts, rules: str, patience_s: float, event: Callable[[Kind, str], object]) -> None:
        self._parts, self._rules, self._patience_s, self._event = parts, rules, patience_s, event
        self._lock = threading.Lock()

    def say(self) -> None:
        """Tell which of them it is."""
        armed = bool(self._parts.hold.armed_ns)
        self._event("feedback" if armed else "shadow mode", (ARMED if armed else SHADOW).format(self._rules))

    def arm(self) -> None:
        """See `Feedback.arm`."""
        with self._lock:
            hold, journal = self._parts.hold, self._parts.journal
            if hold.armed_ns:
                return
            if hold.reason:
                raise ControlError(
                    f"found the microscope held in its safe state ({hold.reason}), expected one that may move: resume "
                    "the feedback before it is armed"
                )
            self._event("feedback", ARMED.format(self._rules))
            if not journal.sync(self._patience_s):
                raise RecordError(
                    f"found that {journal.path} cannot be written ({journal.failure or 'its disk is too slow'}), "
                    "expected a journal of all that is done: it is not armed"
                )
            self._parts.budget.anew()
            self._parts.gate.arm(True)
            try:
                hold.arm()
            except ControlError:  # it was taken meanwhile
                self._parts.gate.arm(False)
                self.say()
                raise

    def shadow(self) -> None:
        """See `Feedback.shadow`."""
        with self._lock:
            hold = self._parts.hold
            if not hold.armed_ns:
                return
            hold.disarm()
            self._parts.gate.arm(False)
            self.say()
        end = time.monotonic() + self._patience_s
        while hold.busy_ns:
            if time.monotonic() > end:
                raise ControlError(
                    f"found an action that takes longer than {self._patience_s:g} s, expected its end: nothing comes "
                    "after it, and the watchdog looks after it"
                )
            time.sleep(LOOK_S)
