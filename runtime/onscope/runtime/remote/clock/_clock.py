"""How far another machine's monotonic clock is ahead of ours, by beats there and back."""

from __future__ import annotations

from collections import deque

DRIFT = 50e-6
"""Two quartz clocks drift apart by less than this: 50 us per second."""
KEPT = 120


class OtherClock:
    """The offset of another clock: of all beats, the one that says most now.

    A beat that took 0.4 ms there and back tells the offset to 0.2 ms, whatever the two ways took each; what it tells
    grows less certain as the clocks drift.
    """

    def __init__(self) -> None:
        self._beats: deque[tuple[int, int, int]] = deque(maxlen=KEPT)

    def add(self, sent_ns: int, came_ns: int, answered_ns: int, back_ns: int) -> None:
        """A beat left here at `sent_ns`, came there at `came_ns`, was answered, and the answer came at `back_ns`.

        One that is impossible is left out: the other end may say what it likes.
        """
        way = (back_ns - sent_ns) - (answered_ns - came_ns)
        if back_ns < sent_ns or answered_ns < came_ns or way < 0:
            return
        self._beats.append((back_ns, (came_ns - sent_ns + answered_ns - back_ns) // 2, way // 2 + 1))

    def at(self, now_ns: int) -> tuple[int, int] | None:
        """Nanoseconds that the other clock is ahead, and how far that may be wrong; None before the first beat."""
        if not self._beats:
            return None
        sure = [(half + int(DRIFT * (now_ns - at)), offset) for at, offset, half in self._beats]
        uncertainty, offset = min(sure)
        return offset, uncertainty

    def here(self, there_ns: int, sent_ns: int, came_ns: int) -> int:
        """A moment of the other clock in ours; never before its cause was sent, nor after word of it came."""
        known = self.at(came_ns)
        return max(sent_ns, min(came_ns, there_ns - known[0] if known else came_ns))
