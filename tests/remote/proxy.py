"""A TCP proxy between PC and box that cuts, truncates, stalls, delays, or limits the rate of both ways."""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import suppress

from .delay import delayed


class Proxy:
    """Listens on a free `port` of loopback and passes everything on to `target`, until something is asked for.

    `rate`: bytes per second of each way (None: as fast as it goes), or `delay_s`: each byte comes so much later, and
    as many a second as before. `host` is where it listens, `there` where the target is.
    """

    def __init__(
        self,
        target: int,
        rate: float | None = None,
        delay_s: float = 0.0,
        host: str = "127.0.0.1",
        there: str = "127.0.0.1",
    ) -> None:
        self._target, self._rate, self._delay_s = (there, target), rate, delay_s
        self._listening = socket.create_server((host, 0))
        self.port = self._listening.getsockname()[1]
        self.accepting = True
        self.cuts = 0
        self._stalled = threading.Event()
        self._stalled.set()
        self._ends: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """End all connections in the middle of what is on its way."""
        with self._lock:
            ends, self._ends = self._ends, []
        self.cuts += bool(ends)
        for pair in ends:
            for each in pair:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def stall(self, stalled: bool) -> None:
        """Pass nothing on, with the connections left open."""
        if stalled:
            self._stalled.clear()
        else:
            self._stalled.set()

    def cut_now_and_then(self, seconds: float, mean_s: float, seed: int) -> None:
        """Cut at random times for so long."""
        chance, end = random.Random(seed), time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(min(chance.expovariate(1 / mean_s), max(0.0, end - time.monotonic())))
            self.cut()

    def close(self) -> None:
        self.accepting = False
        self._listening.close()
        self._stalled.set()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            try:
                if not self.accepting:
                    raise OSError("not now")
                there = socket.create_connection(self._target)
            except OSError:
                here.close()
                continue
            for each in (here, there):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if not self._delay_s:  # else the system finds out what the link takes
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
            with self._lock:
                self._ends.append((here, there))
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        if self._delay_s:
            delayed(source, sink, self._delay_s)
        else:
            self._limited(source, sink)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _limited(self, source: socket.socket, sink: socket.socket) -> None:
        due = time.monotonic()
        with suppress(OSError):
            while data := source.recv(1 << 16):
                self._stalled.wait()
                if self._rate is not None:
                    due = max(due, time.monotonic()) + len(data) / self._rate
                    time.sleep(max(0.0, due - time.monotonic()))
                sink.sendall(data)
