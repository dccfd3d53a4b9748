"""Which of a series of frames of unknown length are kept: runs without a gap, evenly spread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from onscope.runtime import Frame

T = TypeVar("T")


class Runs:
    """Runs of `window` frames that follow one another: of one camera, one segment, without a loss, none in two runs.

    Counts what was `taken` and what was `lost` in between, as the camera's own numbers tell.
    """

    def __init__(self, window: int) -> None:
        self.taken, self.lost = 0, 0
        self.cameras: list[str] = []
        self._window = window
        self._last: dict[tuple[str, int], int] = {}
        self._open: dict[tuple[str, int], list[Frame]] = {}

    def add(self, frame: Frame) -> Iterator[list[Frame]]:
        """The run that this frame completes."""
        key = frame.id.camera, frame.id.segment
        self.taken += 1
        if frame.id.camera not in self.cameras:
            self.cameras.append(frame.id.camera)
        gap = frame.id.seq - self._last.get(key, frame.id.seq - 1) - 1
        self._last[key] = frame.id.seq
        self.lost += max(0, gap)
        run = self._open.setdefault(key, [])
        if gap:
            run.clear()
        run.append(frame)
        if len(run) == self._window:
            del self._open[key]
            yield run


class Thinned(Generic[T]):
    """At most `most` of the items that come, evenly spread over all of them; never more than twice as many are held."""

    def __init__(self, most: int) -> None:
        self.seen = 0
        self._most, self._every = most, 1
        self._held: list[T] = []

    def add(self, item: T) -> None:
        """The next one."""
        if self.seen % self._every == 0:
            self._held.append(item)
        self.seen += 1
        if len(self._held) == 2 * self._most:
            self._held, self._every = self._held[::2], 2 * self._every

    @property
    def items(self) -> list[T]:
        """Those that are kept, in their order."""
        count = min(self._most, len(self._held))
        last = len(self._held) - 1
        return [self._held[round(number * last / max(1, count - 1))] for number in range(count)]
