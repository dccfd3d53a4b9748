"""The hold: while it is taken nothing is applied, and the microscope has been made safe."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from ..._clock import now_ns
from ..._errors import ControlError
from .._controller import Command, Controller

Told = Callable[[str, tuple[Command, ...]], object]


class Hold:
    """Who applies actions asks it before and tells it after each; any thread may take it.

    `told(words, commands)` is called when the microscope was made safe, in the thread that did it. In shadow mode
    (not armed) it is told of what would have been done, and nothing is sent.
    """

    def __init__(self, controller: Controller, armed: bool, told: Told) -> None:
        self._controller, self._told = controller, told
        self._lock = threading.Lock()
        self._armed_ns = now_ns() if armed else 0
        self.acts = armed
        """Whether the safe state that is due, or was told last, is one that the hardware is sent to."""
        self._reason = ""
        self._busy_ns = 0
        self._due = False
        self.news = threading.Event()
        """Is set when somebody takes it; whoever waits for that clears it."""

    @property
    def reason(self) -> str:
        """Why nothing is applied; empty: it is."""
        return self._reason

    @property
    def armed_ns(self) -> int:
        """Since when it is armed; 0: it is in shadow mode."""
        return self._armed_ns

    def arm(self) -> None:
        """What is decided from now on may be applied. Raises ControlError while the hold is taken."""
        with self._lock:
            if self._reason:
                raise ControlError(f"found the microscope held in its safe state ({self._reason}): resume() first")
            self._armed_ns = self._armed_ns or now_ns()

    def disarm(self) -> None:
        """No action begins any more; one that is under way is not cut short, nor a safe state that is due."""
        with self._lock:
            self._armed_ns = 0

    @property
    def busy_ns(self) -> int:
        """Since when an action is under way; 0: none is."""
        return self._busy_ns

    def take(self, reason: str) -> None:
        """From now on nothing is applied; returns at once, `make_safe` has the rest done. The first reason counts."""
        with self._lock:
            if not self._reason:
                self._reason, self._due = reason, True
                self.acts = bool(self._armed_ns or self._busy_ns)
                self.news.set()

    def make_safe(self) -> None:
        """Have the hardware made safe, if somebody took the hold since; may hang where the hardware does."""
        with self._lock:
            due, self._due = self._due, False
        if due:
            self._safe(self._reason)

    def begin(self, armed_ns: int) -> None:
        """An action begins that was decided on while armed since `armed_ns`. Raises ControlError with the reason while
        the hold is taken, or where that has ended."""
        with self._lock:
            if armed_ns != self._armed_ns:
                raise ControlError("it was decided on before shadow mode began")
            if self._reason:
                raise ControlError(f"the microscope is held in its safe state: {self._reason}")
            self._busy_ns = now_ns()

    def end(self) -> None:
        """It is done; when the hold was taken meanwhile, what it switched on is off again."""
        with self._lock:
            self._busy_ns = 0
            late = self._reason
        if late:
            self._safe(f"{late} (again, after the action that was under way)")

    def release(self) -> None:
        """Actions may be applied again."""
        with self._lock:
            self._reason, self._due = "", False

    def _safe(self, words: str) -> None:
        self._told(words, self._controller.safe() if self.acts else ())


class Heartbeat(Protocol):
    """An output that a hardware watchdog listens to: it closes its shutter when no beat comes."""

    def beat(self) -> object:
        """Called some ten times a second while all is well; must not wait long."""
        ...
