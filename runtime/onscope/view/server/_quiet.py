"""What the server logs goes through a pipe to the acquisition process, which has more to do than to read it."""

from __future__ import annotations

import logging
import time

MOST = 20
"""Records in a row."""
EVERY_S = 3.0
"""Seconds after which there may be one more."""


class Few(logging.Filter):
    """Lets few records through, whatever is sent to the server."""

    def __init__(self) -> None:
        super().__init__()
        self._left, self._at = float(MOST), time.monotonic()

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        self._left = min(MOST, self._left + (now - self._at) / EVERY_S)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
