"""Wakes a thread that polls sockets, from any other thread."""

from __future__ import annotations

import contextlib
import socket


class Wake:
    """`ring` from any thread; the polling one waits for `descriptor` to be readable, and calls `clear`."""

    def __init__(self) -> None:
        self._there, self._here = socket.socketpair()
        for end in (self._there, self._here):
            end.setblocking(False)

    @property
    def descriptor(self) -> int:
        return self._here.fileno()

    def ring(self) -> None:
        with contextlib.suppress(OSError):  # rung often enough to wake it already, or closed
            self._there.send(b"x")

    def clear(self) -> None:
        with contextlib.suppress(OSError):
            while self._here.recv(4096):
                pass

    def close(self) -> None:
        self._there.close()
        self._here.close()
