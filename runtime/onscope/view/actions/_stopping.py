"""A viewer ends the run: as Ctrl-C does, but only while frames are taken."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Stopping:
    """`stop` may be called from any thread; the main thread takes frames within `taking`."""

    def __init__(self) -> None:
        self.stopped = False
        """Whether a viewer ended it."""
        self._lock = threading.Lock()
        self._taking = False

    def stop(self) -> None:
        """End the block `taking` with a KeyboardInterrupt; before and after it only `stopped` is set."""
        with self._lock:
            self.stopped = True
            if self._taking:
                self._taking = False
                _thread.interrupt_main()

    @contextmanager
    def taking(self) -> Iterator[None]:
        """While the block lasts `stop` interrupts it: KeyboardInterrupt, also at the block's very end."""
        with self._lock:
            self._taking = True
        try:
            yield
        finally:
            with self._lock:
                self._taking = False
