"""The worker in a thread of the acquisition process: for tests and notebooks. A model that hangs or crashes takes the
whole process along."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

from ._messages import CREDIT, DEEPEST, LONG_NS, WAKE, Message
from ._serve import serve


class _End:
    def __init__(self, incoming: SimpleQueue[Message | None], outgoing: SimpleQueue[Message | None]) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    def send(self, message: Mapping[str, Any]) -> None:
        self._outgoing.put(dict(message))

    def receive(self) -> Message | None:
        return self._incoming.get()

    def wake(self) -> None:
        self._incoming.put({"kind": WAKE})

    def waiting(self) -> bool:
        return not self._incoming.empty()

    def close(self) -> None:
        self._outgoing.put(None)


class ThreadLink(_End):
    """Starts the same loop in a thread and speaks with it over two queues."""

    mortal = False
    here = True
    away = False
    credit, long_ns, deepest = CREDIT, LONG_NS, DEEPEST
    pid = os.getpid()

    def __init__(self) -> None:
        there: SimpleQueue[Message | None] = SimpleQueue()
        back: SimpleQueue[Message | None] = SimpleQueue()
        super().__init__(incoming=back, outgoing=there)
        self._error = ""
        self._given_up = False
        self._thread = threading.Thread(
            target=self._serve, args=(_End(incoming=there, outgoing=back),), name="onscope-worker", daemon=True
        )
        self._thread.start()

    def _serve(self, end: _End) -> None:
        def die(error: BaseException) -> None:
            self._error = repr(error)
            end.close()
            self._outgoing.put(None)  # its loop ends too

        try:
            serve(end, die)
        except (Exception, SystemExit) as error:  # like a process, it tells the other end by falling silent
            self._error = repr(error)
        finally:
            end.close()

    def epitaph(self) -> str:
        """How the worker ended, in a few words."""
        return self._error or "it ended"

    def close(self) -> None:
        super().close()
        if not self._given_up:
            self._thread.join(2.0)

    def kill(self) -> None:
        """A thread cannot be killed: it ends after its current window, if that ends, and nobody listens any more."""
        self._given_up = True
        super().close()
        self._incoming.put(None)
