"""The newest frame that is shown, for each who looks."""

from __future__ import annotations

import threading
from collections.abc import Callable

from onscope.runtime import Result


class Newest:
    """Like a Subscription that keeps the newest result; `forget` is called when it is closed."""

    def __init__(self, forget: Callable[[Newest], object]) -> None:
        self.skipped = self.offered = 0
        self._changed = threading.Condition()
        self._result: Result | None = None
        self._closed = False
        self._forget = forget

    def take(self, timeout_s: float | None = None) -> Result | None:
        """The newest result that was not taken yet; None: there is none in time, or no more at all."""
        with self._changed:
            self._changed.wait_for(lambda: self._result is not None or self._closed, timeout_s)
            result, self._result = self._result, None
            return result

    def offer(self, result: Result) -> None:
        """It takes the place of one that was not taken."""
        with self._changed:
            self.offered += 1
            self.skipped += self._result is not None
            self._result = result
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Take no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._forget(self)
