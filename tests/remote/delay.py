"""What a long way does to bytes: each comes so much later, and as many of them a second as before."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import suppress

PIECE = 1 << 18
ON_THE_WAY = 16 << 20
"""Bytes that may be on their way in one direction: a link of 1 Gbit/s has 125 kB in each ms."""


def delayed(source: socket.socket, sink: socket.socket, delay_s: float) -> None:
    """Pass on all that comes, each piece `delay_s` after it came, until either end is closed.

    One thread reads and notes when each piece came, this one writes when it is due: what waits for its time holds up
    nothing that comes after it. `ON_THE_WAY` bytes at most wait; then the sender waits too, as for a full queue.
    """
    line = _Line()

    def read() -> None:
        with suppress(OSError):
            while data := source.recv(PIECE):
                if not line.put(data, time.monotonic() + delay_s):
                    return
        line.put(b"", time.monotonic() + delay_s)

    threading.Thread(target=read, daemon=True).start()
    try:
        while (piece := line.get()) and piece[0]:
            _wait_until(piece[1])
            sink.sendall(piece[0])
    except OSError:
        pass
    finally:
        line.close()


def _wait_until(due: float) -> None:
    while (left := due - time.monotonic()) > 0:
        time.sleep(left)


class _Line:
    """Pieces with the times at which they are due, in order."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[bytes, float]] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, data: bytes, due: float) -> bool:
        """Wait for room; whether there is still one who takes it."""
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < ON_THE_WAY or self._closed)
            self._pieces.append((data, due))
            self._bytes += len(data)
            self._changed.notify_all()
            return not self._closed

    def get(self) -> tuple[bytes, float]:
        """The oldest piece; b"" at the end."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._pieces))
            data, due = self._pieces.popleft()
            self._bytes -= len(data)
            self._changed.notify_all()
            return data, due

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
