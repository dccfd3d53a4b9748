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
    (`armed` False) it is told of what would have been done, and nothing is sent.
    """

    def __init__(self, controller: Controller, armed: bool, told: Told) -> None:
        self._controller, self._armed, self._told = controller, armed, told
        self._lock = threading.Lock()
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
    def busy_ns(self) -> int:
        """Since when an action is under way; 0: none is."""
        return self._busy_ns

    def take(self, reason: str) -> None:
        """From now on nothing is applied; returns at once, `make_safe` has the rest done. The first reason counts."""
        with self._lock:
            if not self._reason:
                self._reason, self._due = reason, True
                self.news.set()

    def make_safe(self) -> None:
        """Have the hardware made safe, if somebody took the hold since; may hang where the hardware does."""
        with self._lock:
            due, self._due = self._due, False
        if due:
            self._safe(self._reason)

    def begin(self) -> None:
        """An action begins. Raises ControlError with the reason while the hold is taken."""
        with self._lock:
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
        self._told(words, self._controller.safe() if self._armed else ())


class Heartbeat(Protocol):
    """An output that a hardware watchdog listens to: it closes its shutter when no beat comes."""

    def beat(self) -> object:
        """Called some ten times a second while all is well; must not wait long."""
        ...
