"""A camera's frames while a controller steers: live, at an interval or paused; those of its actions come between."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from onscope.runtime import ControlError, Frame, FrameSpec, SourceError, now_ns

from .._live import LiveSource
from ._hands import Hands
from ._roll import Rolls

LOOK_S = 0.02
"""Between two looks whether something has changed while no frame is due."""
TAKE_S = 30.0
"""How long an action waits for someone to take the frames that it has given before it gives up."""


@dataclass(eq=False)
class SteeredSource:
    """Routine frames of one camera, and those of a controller's actions, in the order in which they were taken.

    Made by `CoreController.live`. Routine frames come live (interval 0), or one at each interval, which are frames of
    one segment then. Frames of a burst, stack, visit or autofocus are a segment of their own, of the same run: their
    `labels` tell the `action` ("burst", "stack", "tile", "autofocus"), their `index` which of it they are (`t`, `z`,
    `p`, `z`). `stage_um` is where the stages were commanded to be when the exposure began.
    """

    hands: Hands
    live: LiveSource
    rolls: Rolls
    hold_bytes: int
    interval_s: float = 0.0
    paused_until_s: float = -math.inf
    ended: bool = False
    shape: tuple[int, int] | None = None
    _held: deque[Frame] = field(default_factory=deque)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _guests: int = 0
    _halts: int = 0
    _taker: int | None = None
    _due_s: float = -math.inf
    _since_ns: int = 0

    def spec(self) -> FrameSpec:
        """What the camera is set to give now."""
        return self.live.spec()

    def describe(self) -> dict[str, Any]:
        """What a recording should know of the camera."""
        return self.live.describe()

    @property
    def run(self) -> str:
        """Of all frames."""
        return self.live.run

    @property
    def paused(self) -> bool:
        """Whether no routine frames come for now."""
        return self.hands.clock.now_s() < self.paused_until_s

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """`n` frames in all, those of actions among them; or None: until a `Stop`, a safe state, or until it is closed.

        Called from one thread at a time; else as `LiveSource.frames`.
        """
        with self._news:
            if self._taker is not None:
                raise SourceError("found frames() in use, expected one at a time: close the other generator first")
            self._taker, self.ended = threading.get_ident(), False
        inner: Generator[Frame, None, None] | None = None
        taken, halts = 0, 0
        try:
            while n is None or taken < n:
                self._taker = threading.get_ident()  # a generator may be handed from thread to thread
                if inner is not None:
                    frame = self._live_one(inner)
                    if frame is None and halts == self._halts:
                        return  # the camera has given all that it was asked for
                else:
                    frame = self._other()
                if frame is not None:
                    self.shape = frame.pixels.shape[0], frame.pixels.shape[1]
                    yield frame
                    taken += 1
                    if inner is not None and not self._is_live():
                        self._halt()
                elif self.ended:
                    return
                else:
                    halts = self._halts
                    inner = None if inner is not None else self.live.frames(None if n is None else n - taken)
                    self._since_ns = now_ns()
        finally:
            if inner is not None:
                inner.close()
            with self._news:
                self._taker = None
                self._news.notify_all()

    def end(self) -> None:
        """Frames end in order; from any thread, without waiting for anything."""
        self.ended = True

    def changed(self) -> None:
        """The controller's: interval, pause or end were set, which the thread that takes frames has to hear of."""
        self._due_s = -math.inf
        if not self._is_live():
            self._halt()

    @contextmanager
    def guest(self) -> Iterator[None]:
        """The camera is the controller's in the block: what ran is at rest, and goes on after it in a new segment."""
        with self.live.changes.lock:
            self._halts += 1
            self.live.changes.take_over()
            self.live.settle()
            self._guests += 1
        try:
            yield
        finally:
            self._guests -= 1
            self.live.changes.give_back()

    def give(self, frame: Frame) -> None:
        """A frame of an action, to whoever takes the frames; waits while too many are held.

        Raises ControlError when nobody takes them.
        """
        until_s = time.monotonic() + TAKE_S
        with self._news:
            while self._held and self._full(frame.pixels.nbytes):
                self.hands.check()
                if self._taker in (None, threading.get_ident()) or time.monotonic() > until_s:
                    raise ControlError(
                        f"found {len(self._held)} frames of an action that nobody takes, expected them to be taken in "
                        "another thread, as Runtime.stream does: take them, or ask for fewer frames"
                    )
                self._news.wait(LOOK_S)
            self._held.append(frame)

    def room_for(self, n: int) -> None:
        """Raise ControlError unless so many frames can be held, or there is another thread that takes them."""
        size = self.spec().nbytes
        if self._full(n * size) and self._taker in (None, threading.get_ident()):
            raise ControlError(
                f"found an action of {n} frames that nobody takes meanwhile, expected {self.hold_bytes // size} at "
                "most: take the frames in another thread, as Runtime.stream does, or ask for fewer"
            )

    def _full(self, more: int) -> bool:
        return sum(frame.pixels.nbytes for frame in self._held) + more > self.hold_bytes

    def _live_one(self, inner: Generator[Frame, None, None]) -> Frame | None:
        """The next live frame; None when the sequence has ended because someone else has the camera, or at all."""
        try:
            frame = next(inner, None)
        except SourceError:
            if self.ended:  # stopped by the safe state
                return None
            raise
        if frame is None:
            return None
        since_ns, self._since_ns = self._since_ns, frame.received_ns
        return self.rolls.placed(frame, since_ns)

    def _other(self) -> Frame | None:
        """The next frame that is not live, waited for; None: it is the live sequence's turn, or all is over."""
        while True:
            with self._news:
                if self._held:
                    self._news.notify_all()
                    return self._held.popleft()
            if self.ended or not self.live.is_open() or (self._is_live() and not self._guests):
                return None
            with self.live.changes.lock:
                if not self._guests and self.interval_s > 0 and not self.paused and self._is_due():
                    return self._routine()
            self._wait()

    def _routine(self) -> Frame:
        now_s = self.hands.clock.now_s()
        self._due_s = max(self._due_s + self.interval_s, now_s) if self._due_s > 0 else now_s + self.interval_s
        try:
            (frame,) = self.rolls.take(self.hands.others(), self.rolls.going_on())
        except ControlError as error:
            raise SourceError(str(error)) from error
        return frame

    def _wait(self) -> None:
        """For a little while, in which a frame may become due or something change."""
        clock = self.hands.clock
        until_s = max(self._due_s, self.paused_until_s)
        if self._guests or until_s == math.inf:
            time.sleep(LOOK_S / 4)
        else:
            clock.wait_until(min(until_s, clock.now_s() + LOOK_S), threading.Event())

    def _is_live(self) -> bool:
        return self.interval_s <= 0 and not self.paused and not self.ended

    def _is_due(self) -> bool:
        return self.hands.clock.now_s() >= self._due_s

    def _halt(self) -> None:
        """Bring the live sequence to rest; what it has given still comes."""
        with self.live.changes.lock:
            self._halts += 1
            if not self._guests:
                self.live.changes.take_over()
                self.live.changes.give_back()
