"""The recorder process: messages come on standard input and leave on what was standard output.

It outlives the acquisition process: signals that are meant for that one do not end it, and when its pipe ends without
a last word it saves what was announced, closes all files in order and says so in the manifest.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO, cast

from ...worker._messages import Message, read, write
from ._messages import receive_memory
from ._serve import serve

LOOK_S = 0.5
"""How often it is looked whether the parent is still there, while nothing comes."""


class _NoPandas:
    """Arrow looks for pandas at its first array: half a second of every start for something that nothing here needs."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class _Announcements:
    """Standard input, which ends with the parent, also when a process that the parent forked still holds the pipe."""

    def __init__(self, descriptor: int, parent: int) -> None:
        self._descriptor = descriptor
        self._parent = parent
        self._ahead = bytearray()

    def read(self, count: int) -> bytes:
        while len(self._ahead) < count:
            if not select.select([self._descriptor], [], [], LOOK_S)[0]:
                if os.getppid() == self._parent:
                    continue
                break
            more = os.read(self._descriptor, 1 << 16)
            if not more:
                break
            self._ahead += more
        taken = bytes(self._ahead[:count])
        del self._ahead[:count]
        return taken


class _Pipes:
    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO, way: socket.socket | None) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._way = way

    def send(self, message: Mapping[str, Any]) -> None:
        write(self._outgoing, message)

    def receive(self) -> Message | None:
        return read(self._incoming)

    def take_memory(self) -> int:
        if self._way is None:
            raise OSError("no way for shared memory")
        return receive_memory(self._way)


def main() -> None:
    sys.meta_path.insert(0, cast(Any, _NoPandas()))
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints cannot end up between two messages
    descriptor = int(sys.argv[1])
    way = socket.socket(fileno=descriptor) if descriptor >= 0 else None
    incoming = cast(BinaryIO, _Announcements(0, int(sys.argv[2]))) if os.name == "posix" else sys.stdin.buffer
    serve(_Pipes(incoming, outgoing, way))


if __name__ == "__main__":
    main()
