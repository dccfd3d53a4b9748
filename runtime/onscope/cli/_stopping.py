"""SIGTERM (and Ctrl-Break on Windows) ends a command in order, as Ctrl-C does; a second one ends it at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
TERMINATED = 128 + signal.SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM came: whoever ends in order on Ctrl-C does so here too."""


class StopSignals:
    """How a command was asked to end; `code` is its exit code for that: 130 after Ctrl-C, 143 after SIGTERM."""

    def __init__(self) -> None:
        self.asked = 0
        """Signals that came."""
        self._ending = False

    @property
    def code(self) -> int:
        return TERMINATED if self.asked else INTERRUPTED

    @property
    def words(self) -> str:
        """By what it was stopped."""
        return "SIGTERM" if self.asked else "Ctrl-C"

    def ending(self) -> None:
        """From here on the command is ending: the first signal only says so, and interrupts nothing."""
        self._ending = True

    def waiting(self) -> None:
        """The end has come, and the command only waits to be stopped: a signal interrupts that."""
        self._ending = False

    def came(self, number: int, frame: FrameType | None) -> None:
        """The handler; in the main thread, between two of its instructions."""
        self.asked += 1
        if self.asked > 1:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)  # no cleaning up: the recorder and the worker see it and end by themselves
        if not self._ending:
            self._ending = True
            raise Terminated


@contextmanager
def heeding_signals() -> Iterator[StopSignals]:
    """Heed them while the block lasts; off the main thread, where Python has no signals, nothing is done."""
    stop = StopSignals()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = [signal.SIGTERM, *([signal.SIGBREAK] if hasattr(signal, "SIGBREAK") else [])]
    before = {number: signal.signal(number, stop.came) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
