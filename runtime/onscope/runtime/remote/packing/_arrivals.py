"""How fast a link is, told at its receiving end from when messages were sent and when they came."""

from __future__ import annotations

from collections import deque

LEAST = 16 << 10
"""Of smaller messages the way takes longer than the bytes."""
SAMPLE = 256 << 10
KEPT = 16
WAITED_NS = 50_000
"""Who waited for a message for so long saw it come; what was there already may have been there for long."""
DRIFT = 50e-6
"""Two quartz clocks drift apart by less than this."""


class Arrivals:
    """One direction of a link. The two ends' clocks need not agree: the quickest message shows how far they are apart.

    What a message took is counted from when it was sent, or from when the one before it had come where that was later:
    pauses of the sender do not make the link slower, nor does the computing that an acknowledgement waits for. Only
    messages that were waited for count: a busy receiver does not make the link slower either.
    """

    def __init__(self) -> None:
        self._ahead: int | None = None
        """Of the quickest message: what it took, and the other clock's difference."""
        self._ahead_at = self._last = self._spent = self._bytes = 0
        self._sure = False
        """Whether the last one was seen to come."""
        self._samples: deque[float] = deque(maxlen=KEPT)

    def begin(self) -> None:
        """A new connection: another way may take longer."""
        self._ahead = None

    def came(self, sent_ns: int, came_ns: int, size: int, awaited: bool) -> None:
        """A message of so many bytes; `sent_ns` in the sender's clock."""
        took = came_ns - sent_ns
        if self._ahead is None or took < self._ahead + int(DRIFT * (came_ns - self._ahead_at)):
            self._ahead, self._ahead_at = took, came_ns
        if size < LEAST:
            return
        begun = sent_ns + self._ahead
        if awaited and (self._sure or begun >= self._last):
            self._spent += came_ns - max(self._last, begun)
            self._bytes += size
        self._last, self._sure = came_ns, awaited
        if self._bytes >= SAMPLE:
            self._samples.append(self._bytes * 1e9 / max(1, self._spent))
            self._spent = self._bytes = 0

    @property
    def rate(self) -> int:
        """Bytes per second, as most of the last 8 MiB came; 0 before enough came.

        Of four samples the second best: a thread that was late to look makes the link seem slower than it is.
        """
        return int(sorted(self._samples)[3 * len(self._samples) // 4]) if self._samples else 0
