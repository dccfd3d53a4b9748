"""A worker process in virtual time: it begins windows, waits for their answers, and gives them back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ._draw import Draw, Pipe
from ._facility import Scope
from ._loop import Loop
from ._serving import Request, Serving
from ._windows import Acquisition, Waiting
from ._wires import Way


class Begun:
    """A window that the worker has begun with."""

    __slots__ = ("answered", "request", "started", "window")

    def __init__(self, window: Waiting, started: int) -> None:
        self.window, self.started, self.answered = window, started, False
        self.request: Request | None = None


class Worker:
    """As `worker/_serve.py` has it: one thread that begins what lies there while there is room, else waits for the
    oldest. A box has no such thread here: what comes goes on at once."""

    def __init__(self, loop: Loop, scope: Scope, serving: Serving, up: Way, down: Way, seed: str) -> None:
        self._loop, self._scope, self._serving, self._up, self._down = loop, scope, serving, up, down
        self._pack, self._unpack = Draw(scope.pack_ms, f"{seed}/pack"), Draw(scope.unpack_ms, f"{seed}/unpack")
        self._back = Pipe(loop, scope.handover_ms, f"{seed}/back")
        self._room = 1 << 30 if scope.away else scope.depth
        self._looks = scope.away or scope.far
        self._inbox: deque[Waiting] = deque()
        self._begun: deque[Begun] = deque()
        self._busy = self._waits = False
        self.busy_ns = 0
        self.acquisition: Acquisition

    def take(self, window: Waiting) -> None:
        """A message has come: a window to run."""
        self._inbox.append(window)
        if not self._busy and (self._looks or not self._waits):
            self._turn(None)

    def _turn(self, _: object) -> None:
        """The thread is free: begin, or finish the oldest, or wait."""
        self._busy = self._waits = False
        if self._inbox and len(self._begun) < self._room:
            one = Begun(self._inbox.popleft(), self._loop.now)
            self._begun.append(one)
            self._work(self._pack(), self._send, one)
        elif self._begun:
            if self._begun[0].answered:
                self._work(self._unpack(), self._finish, self._begun[0])
            else:
                self._waits = True

    def _work(self, ns: int, then: Callable[[Begun], object], one: Begun) -> None:
        self.busy_ns += ns
        if ns:
            self._busy = True
            self._loop.at(self._loop.now + ns, then, one)
        else:
            then(one)

    def _send(self, one: Begun) -> None:
        scope = self._scope
        one.request = Request(scope.model, scope.priority, self._ran, one)
        self._up.send(scope.up_bytes, self._serving.take, one.request)
        self._turn(None)

    def _ran(self, one: Begun) -> None:
        if self._scope.away:
            assert one.request is not None
            one.started, one.window.finished = one.request.began, self._loop.now
        self._down.send(self._scope.down_bytes, self._answered, one)

    def _answered(self, one: Begun) -> None:
        one.answered = True
        if not self._busy and self._begun and self._begun[0] is one:
            self._turn_to_finish()

    def _turn_to_finish(self) -> None:
        if self._waits or self._looks:
            self._busy = self._waits = False
            self._work(self._unpack(), self._finish, self._begun[0])

    def _finish(self, one: Begun) -> None:
        self._begun.popleft()
        window = one.window
        window.started = one.started
        if not self._scope.away:
            window.finished = self._loop.now
        self._busy = True  # what comes of the answer is taken in the next turn
        self._back.send(self.acquisition.done, window)
        self._turn(None)
