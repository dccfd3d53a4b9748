"""A thread that looks after the core's buffer while the one that takes frames is busy elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Watch:
    """Calls `look` again and again; it says in how many seconds the next time is, or None: no more."""

    def __init__(self, look: Callable[[], float | None]) -> None:
        self._look = look
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="onscope-buffer-watch", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """No more looks; returns when the thread has ended."""
        self._ended.set()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether it still looks."""
        return self._thread.is_alive()

    def _run(self) -> None:
        wait_s: float | None = 0.0
        while wait_s is not None and not self._ended.wait(wait_s):
            wait_s = self._look()
