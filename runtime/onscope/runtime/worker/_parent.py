"""The other process's end of a ProcessLink: messages come on standard input and leave on what was standard output.

Whatever a library prints goes to standard error instead, so that it cannot end up between two messages.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any, BinaryIO

from ._messages import WAKE, Message, WorkerEnd, read, write


def parent_link() -> WorkerEnd:
    """The way to the process that started this one, which ends with it, and leaves Ctrl-C to it. Called once."""
    # Ctrl-C goes to the whole group; the acquisition process decides what becomes of its worker.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    return _Pipes(sys.stdin.buffer, outgoing)


class _Pipes:
    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._outgoing = outgoing
        self._messages: SimpleQueue[Message | None] = SimpleQueue()
        # Messages are taken while a window runs too: who sends them must never wait for a full pipe.
        threading.Thread(target=self._read, args=(incoming,), name="onscope-messages", daemon=True).start()
        self._sending = threading.Lock()

    def send(self, message: Mapping[str, Any]) -> None:
        with self._sending:
            write(self._outgoing, message)

    def receive(self) -> Message | None:
        return self._messages.get()

    def wake(self) -> None:
        self._messages.put({"kind": WAKE})

    def waiting(self) -> bool:
        return not self._messages.empty()

    def _read(self, incoming: BinaryIO) -> None:
        message: Message | None = {}
        while message is not None:
            message = read(incoming)
            self._messages.put(message)

    def close(self) -> None:
        self._outgoing.close()


def _end_with_parent(parent: int) -> None:
    # A parent that is killed closes the pipe, but a worker deep in native code would not read that for as long as
    # its network runs. (Windows keeps reporting the old parent; there the closed pipe has to do.)
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
