"""An acquisition process in virtual time: frames come, windows wait, go to the worker and come back.

What `Lane`, `GatheredLane` and `Dispatcher` do, with their rules: whole windows are admitted or skipped, a window that
waits may give way or expire, and a worker has a credit of windows.
"""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING

from .._credit import credit_for
from ..worker import DEEPEST
from ._account import Account
from ._draw import Draw, Pipe
from ._facility import Scope
from ._loop import Loop

if TYPE_CHECKING:
    from ._worker import Worker


class Waiting:
    """A window that is whole: so many frames end with it, the last of which was received at `newest`."""

    __slots__ = ("came", "finished", "newest", "owned", "started")

    def __init__(self, newest: int, came: int, owned: int) -> None:
        self.newest, self.came, self.owned = newest, came, owned
        self.started = self.finished = 0


class Acquisition:
    """One microscope's camera, submitting thread, lane and dispatcher."""

    def __init__(self, loop: Loop, scope: Scope, seconds: float, seed: str) -> None:
        self.account = Account(scope.name, scope.priority)
        self._loop, self._scope = loop, scope
        self._random = random.Random(seed)
        self._end = int(seconds * 1e9)
        self._copy = Draw(scope.copy_ms, f"{seed}/copy")
        self._there = Pipe(loop, scope.handover_ms, f"{seed}/there")
        admission = scope.admission
        self._kind, self._depth, self._every = admission.kind, admission.depth, admission.every_n
        deadline = admission.deadline_ms
        self._deadline = None if deadline is None else int(deadline * 1e6)
        self._long = int(scope.long_ms * 1e6)
        most = credit_for(max(DEEPEST, scope.depth if scope.far else 0)) if not scope.away else scope.credit
        self._far = scope.far
        newest = self._kind == "keep_newest"
        self._most = min(credit_for(scope.depth, newest), max(scope.credit, most)) if scope.depth > 1 else scope.credit
        self._buffer: deque[tuple[int, bool]] = deque()  # when received, and whether frames were lost before it
        self._lost = False
        self._waiting: deque[Waiting] = deque()
        self._in_flight = 0
        self._took = self._finished = 0
        self._held = self._since = self._begun = self._refused = 0
        self._refusal = ""
        self._busy = False
        self._blocked: int | None = None
        self._frame = 0
        self.worker: Worker
        rhythm = scope.rhythm
        self._interval = 1e9 / rhythm.fps
        phase = self._random.random() if scope.phase is None else scope.phase
        self._start = phase * self._interval
        self._next_due()

    def _next_due(self) -> None:
        rhythm = self._scope.rhythm
        number = self._frame
        at = self._start + number * self._interval
        if rhythm.burst:
            at += (number // rhythm.burst) * rhythm.pause_ms * 1e6
        if rhythm.jitter:
            at -= rhythm.jitter * self._interval * self._random.random()
        self._frame += 1
        if at < self._end:
            self._loop.at(max(self._loop.now, int(at)), self._due, None)

    def _due(self, _: object) -> None:
        """A frame is in the camera's buffer."""
        self.account.made += 1
        now = self._loop.now
        if self._busy and self._scope.buffer is not None and len(self._buffer) >= self._scope.buffer:
            self.account.ends["lost_upstream", ""] += 1
            self._lost = True
        else:
            self._buffer.append((now, self._lost))
            self._lost = False
            if not self._busy:
                self._submit_next(None)
        self._next_due()

    def _submit(self, received: int) -> None:
        """The thread that takes frames has this one now."""
        if self._kind == "block":
            self._expire()
            if len(self._waiting) >= self._depth:
                self._busy, self._blocked = True, received
                return
        if self._refuses():
            self.account.ends["skipped", self._refusal] += 1
            self._free()
        elif took := self._copy():
            self._busy = True
            self._loop.at(self._loop.now + took, self._commit, received)
        else:
            self._commit(received)

    def _refuses(self) -> bool:
        """Whether the frame is left out before it is copied, with all of its window."""
        if self._refused:
            self._refused -= 1
            return True
        scope = self._scope
        if self._held or scope.step < scope.window:
            return False  # of a window that was begun, or of several
        self._begun += 1
        if (self._begun - 1) % self._every:
            self._refusal = "sampling"
        elif self._kind == "keep_oldest" and self._full():
            self._refusal = "queue"
        else:
            return False
        self._refused = scope.window - 1
        return True

    def _full(self) -> bool:
        if len(self._waiting) >= self._depth:
            self._expire()
        return len(self._waiting) >= self._depth

    def _commit(self, received: int) -> None:
        """The frame stands in its slot, and may have completed a window."""
        scope = self._scope
        self._held += 1
        self._since += 1
        if self._since >= scope.window and (self._since - scope.window) % scope.step == 0:
            if (before := self._held - scope.step) > 0:
                self.account.ends["skipped", "context"] += before
            self._held = 0
            self._queue(received)
        self._pump()
        self._free()

    def _queue(self, received: int) -> None:
        scope, ends = self._scope, self.account.ends
        if scope.step < scope.window:  # sliding: it is decided now
            self._begun += 1
            refusal = "sampling" if (self._begun - 1) % self._every else ""
            if not refusal and self._kind == "keep_oldest" and self._full():
                refusal = "queue"
            if refusal:
                ends["skipped", refusal] += scope.step
                return
        if self._kind == "keep_newest" and len(self._waiting) >= self._depth:
            self._skip("queue")
        self.account.enter(self._loop.now)
        self._waiting.append(Waiting(received, self._loop.now, scope.step))

    def _free(self) -> None:
        """The thread takes the next frame, if one is there."""
        self._busy = False
        if self._buffer:
            self._busy = True
            self._loop.at(self._loop.now, self._submit_next, None)

    def _submit_next(self, _: object) -> None:
        self._busy = False
        received, gap = self._buffer.popleft()
        if gap:  # what was gathered cannot go on with it
            self._end_held("gap")
            self._since = self._refused = 0
        self._submit(received)

    def _skip(self, reason: str) -> None:
        window = self._waiting.popleft()
        self.account.ends["skipped", reason] += window.owned
        self.account.leave(self._loop.now, window.came)

    def _expire(self) -> None:
        if self._deadline is not None:
            while self._waiting and self._waiting[0].newest < self._loop.now - self._deadline:
                self._skip("expired")

    def _credit(self) -> int:
        long = self._took > self._long and not self._far
        return 1 if long and self._kind == "keep_newest" else self._most

    def _pump(self) -> None:
        while self._waiting and self._in_flight < self._credit():
            self._expire()
            if self._waiting:
                self._in_flight += 1
                self._there.send(self.worker.take, self._waiting.popleft())
        if self._blocked is not None and len(self._waiting) < self._depth:
            received, self._blocked, self._busy = self._blocked, None, False
            self._submit(received)

    def done(self, window: Waiting) -> None:
        """The worker's answer is there."""
        now = self._loop.now
        self._took = window.finished - max(window.started, self._finished)
        self._finished = window.finished
        self._in_flight -= 1
        late = self._deadline is not None and now - window.newest > self._deadline
        self.account.ends["late" if late else "done", ""] += window.owned
        self.account.latencies_ns.append(now - window.newest)
        self.account.leave(now, window.came)
        self._pump()

    def close(self) -> None:
        """Frames of a window that was never whole."""
        self._end_held("incomplete window")

    def _end_held(self, reason: str) -> None:
        if self._held:
            self.account.ends["skipped", reason] += self._held
            self._held = 0
