"""What systemd is told of a service: that it is ready, what it does, that it ends, that it still turns.

The protocol is a datagram to the socket that NOTIFY_SOCKET names (`man sd_notify`); without systemd nothing happens.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping, MutableMapping

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Systemd:
    """Speaks to systemd where it started this process; otherwise every method does nothing.

    `alive` is asked before each sign of life that a unit's WatchdogSec wants, half of that time apart and in a thread
    of its own; when it says no, or raises, no sign is given and systemd ends the service. The variables are taken out
    of `environment` (None: this process'), so that workers started later do not speak for it.
    """

    def __init__(
        self, alive: Callable[[], bool] = lambda: True, environment: MutableMapping[str, str] | None = None
    ) -> None:
        environment = os.environ if environment is None else environment
        told = {name: environment.pop(name, "") for name in VARIABLES}
        self._address = _address(told["NOTIFY_SOCKET"])
        self._alive = alive
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.watchdog_s = _watchdog_s(told)
        """Seconds within which systemd wants a sign of life; 0: it wants none."""

    @property
    def here(self) -> bool:
        """Whether systemd listens."""
        return self._address is not None

    def ready(self, status: str = "") -> None:
        """The service can be used now; signs of life begin."""
        self._send("READY=1", status)
        if self.here and self.watchdog_s and self._thread is None:
            self._thread = threading.Thread(target=self._beat, name="onscope-systemd", daemon=True)
            self._thread.start()

    def status(self, words: str) -> None:
        """One line that `systemctl status` shows."""
        self._send("", words)

    def stopping(self, status: str = "") -> None:
        """The service ends in order; signs of life go on until `close`."""
        self._send("STOPPING=1", status)

    def close(self) -> None:
        """No more signs of life."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _beat(self) -> None:
        while not self._ended.wait(self.watchdog_s / 2):
            try:
                alive = self._alive()
            except Exception:
                alive = False
            if alive:
                self._send("WATCHDOG=1", "")

    def _send(self, state: str, status: str) -> None:
        words = " ".join(status.split())[:500]
        lines = [line for line in (state, f"STATUS={words}" if words else "") if line]
        if self._address is None or not lines:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(1.0)
                out.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            pass  # it is told what it can be; a service does not end for that


def _address(text: str) -> str | None:
    if not text or text[0] not in "@/" or not hasattr(socket, "AF_UNIX"):
        return None
    return "\0" + text[1:] if text[0] == "@" else text


def _watchdog_s(told: Mapping[str, str]) -> float:
    mine = told["WATCHDOG_PID"] in ("", str(os.getpid()))
    microseconds = told["WATCHDOG_USEC"]
    return int(microseconds) / 1e6 if mine and microseconds.isascii() and microseconds.isdigit() else 0.0
