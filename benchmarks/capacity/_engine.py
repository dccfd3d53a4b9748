"""An engine whose time is a server's: `asked:PORT/PRIORITY` sends every frame there and waits for the answer.

The graph runs once per shape, so answers have their shapes; what comes back from the server is only waited for.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onscope.runtime.engines import WARM_UPS, Session, open_session

from .. import _registered as registered
from ._server import HEAD

ENTRY = "[onscope.engines]\nasked = benchmarks.capacity._engine:AskedEngine\n"


class AskedEngine:
    """Opens graphs that another process takes the time for."""

    def __init__(self, argument: str = "") -> None:
        port, _, priority = argument.partition("/")
        self._port, self._priority = int(port), int(priority or 1)

    def open(self, graph: Path, threads: int | None = None) -> Session:
        return AskedSession(open_session(graph, "cpu", 1), self._port, self._priority)


class AskedSession:
    """A session that waits for its server."""

    def __init__(self, real: Session, port: int, priority: int) -> None:
        self._real, self._priority = real, priority
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers: dict[tuple[int, ...], list[Any]] = {}
        self._runs = 0
        self.provider, self.inputs, self.outputs = f"asked:{port}/{priority}", real.inputs, real.outputs

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        frame = arrays[0]
        if frame.shape not in self._answers:
            self._answers[frame.shape] = [np.array(each) for each in self._real.run(arrays)]
        self._runs += 1
        if self._runs > WARM_UPS:
            self._socket.sendall(HEAD.pack(self._priority, frame.nbytes) + frame.tobytes())
            left = frame.nbytes
            while left:
                got = len(self._socket.recv(min(left, 1 << 20)))
                if not got:
                    raise ConnectionError("the server has gone")
                left -= got
        return self._answers[frame.shape]


def register(folder: Path) -> None:
    """Have this process's children find the engine, as they find those that are installed."""
    registered.register(folder, "asked", ENTRY)
