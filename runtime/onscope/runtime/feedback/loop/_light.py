"""The light of routine frames: every frame that is handed over is booked, whether it is looked at or not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ..._clock import now_ns
from ..._frame import Frame
from .._of_action import of_action
from ._ask import bare
from ._decide import Decider
from ._settings import Settings

MOST_WAITING = 100_000
MOST_LOST = 10_000
"""Frames lost between two others that are booked at most: a camera's counter may also jump by mistake."""


class RoutineLight:
    """`taken` is called for every frame in the thread that hands it over; `book` from the loop's thread.

    Frames of actions were booked with those. `lit` is called with each frame and what
    the gate says of the light budget since.
    """

    def __init__(
        self,
        decider: Decider,
        settings: Settings,
        odd: Callable[[str], object],
        lit: Callable[[Frame, str], object],
    ) -> None:
        self.last_ns = 0
        """When the last frame was handed over; 0: none was."""
        self.waiting_ns = 0
        """When the first frame was handed over that no result came after; 0: none."""
        self.booked = 0
        self.last: Frame | None = None
        """The last frame, without its pixels; None: there was none."""
        self._decider, self._settings, self._odd, self._lit = decider, settings, odd, lit
        self._frames: deque[Frame] = deque(maxlen=MOST_WAITING)
        self._expected: dict[str, tuple[str, int, int]] = {}

    def taken(self, frame: Frame) -> None:
        self.last_ns = now_ns()
        if not self.waiting_ns:
            self.waiting_ns = self.last_ns
        self.last = bared = bare(frame)
        self._frames.append(bared)

    def seen(self) -> None:
        """A result came."""
        self.waiting_ns = 0

    @property
    def idle(self) -> bool:
        return not self._frames

    def book(self) -> None:
        """Book what was handed over since, and what the camera lost between: it was exposed all the same."""
        while self._frames:
            frame = self._frames.popleft()
            setting = self._settings.of(frame)
            times = self._lost(frame) + (not of_action(frame))
            spent = ""
            for _ in range(times):
                spent = self._decider.exposed(frame, setting)
                self.booked += 1
            if times:
                self._lit(frame, spent)

    def _lost(self, frame: Frame) -> int:
        run, camera, segment, seq = frame.id
        known = self._expected.get(camera)
        self._expected[camera] = (run, segment, seq + 1)
        expected = known[2] if known is not None and known[:2] == (run, segment) else 0
        lost = max(0, seq - expected) if known is not None else 0
        if lost > MOST_LOST:
            self._odd(f"{lost} frames of {camera} are missing, and light is booked for {MOST_LOST} of them")
        return min(lost, MOST_LOST)
