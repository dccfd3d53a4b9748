"""One call of `frames`: what has come waits in the camera's buffer until it is taken."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ._schedule import Shot

Overflow = Literal["drop", "stop"]


@dataclass(slots=True)
class Tally:
    """Frames of a camera since it was made.

    `given` were yielded; `dropped` found no room in the buffer; `lost` are the gaps that a reader sees in the counter,
    from Drop steps and a full buffer, where another frame of the segment followed them.
    """

    given: int = 0
    dropped: int = 0
    lost: int = 0


class Player:
    """A script that runs. Nothing is done in the background: between two looks nobody takes frames, so what came
    meanwhile, and what of it found no room, can be told afterwards.
    """

    def __init__(
        self, script: Iterator[Shot], paced: bool, buffer: int | None, on_overflow: Overflow, tally: Tally
    ) -> None:
        self.overflowed = False
        self._script = script
        self._next = next(script, None)
        self._paced = paced
        self._buffer = buffer
        self._on_overflow = on_overflow
        self._tally = tally
        self._origin_ns = 0
        self._waiting: deque[tuple[Shot, int]] = deque()
        self._segment, self._expected = -1, 0

    def begin(self, now_ns: int) -> None:
        """The script's time begins."""
        self._origin_ns = now_ns if self._paced else 0

    def look(self, now_ns: int) -> int | None:
        """When the next shot is to be taken; None: nothing comes any more."""
        while self._paced and (shot := self._next) is not None and not shot.free and shot.error is None:
            due_ns = self._origin_ns + shot.offset_ns
            if due_ns > now_ns:
                break
            self._come(shot, due_ns)
        if self._waiting:
            return self._waiting[0][1]
        if self._next is None:
            return None
        due_ns = self._origin_ns + self._next.offset_ns
        return max(due_ns, now_ns) if self._next.free and self._paced else due_ns

    def _come(self, shot: Shot, due_ns: int) -> None:
        if self._buffer is None or len(self._waiting) < self._buffer:
            self._waiting.append((shot, due_ns))
        else:
            self._tally.dropped += 1
            if self._on_overflow == "stop":
                self.overflowed = True
                self._next = shot._replace(error="its buffer was full")
                return
        self._next = next(self._script, None)

    def take(self, now_ns: int) -> tuple[Shot, int]:
        """The next shot, which is due, and the moment it came."""
        if self._waiting:
            shot, due_ns = self._waiting.popleft()
        else:
            assert self._next is not None  # `look` said so
            shot, due_ns = self._next, self._origin_ns + self._next.offset_ns
            if shot.error is not None:
                return shot, due_ns
            if shot.free and self._paced:
                self._origin_ns = now_ns - shot.offset_ns  # what follows waits for it
            if shot.free or not self._paced:
                due_ns = now_ns
            self._next = next(self._script, None)
        if shot.segment != self._segment:
            self._segment, self._expected = shot.segment, 0
        self._tally.lost += shot.seq - self._expected
        self._tally.given += 1
        self._expected = shot.seq + 1
        return shot, due_ns
