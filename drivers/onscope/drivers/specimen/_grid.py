"""When exposures begin: on a grid of the clock, which sleeping late cannot shift."""

from __future__ import annotations

import math

from ._clock import Clock

SLACK_S, SLACK_FRAMES = 0.1, 4
"""How late a camera may be before it leaves exposures out, in seconds or frames, whichever is more: what memory on its
board holds; chosen (frame grabbers hold some frames, some cameras seconds)."""


class Grid:
    """Begins of exposures, `period_s` seconds apart, from the moment it is made."""

    def __init__(self, clock: Clock, period_s: float) -> None:
        self._clock, self._period_s = clock, period_s
        self._origin_s = clock.now_s()
        self._tick = -1
        self._given = 0
        self._first_s = self._last_s = self._origin_s
        self.skipped = 0
        """Exposures that were left out."""

    @property
    def interval_s(self) -> float:
        """Mean distance of the begins so far, in seconds; the period before there are two."""
        return (self._last_s - self._first_s) / (self._given - 1) if self._given > 1 else self._period_s

    def coming(self, period_s: float) -> float:
        """What `next` will give, if nobody is late."""
        if period_s != self._period_s:
            return self._last_s + (self._period_s if self._given else 0.0)
        return self._origin_s + (self._tick + 1) * period_s

    def next(self, period_s: float) -> float:
        """The next begin, in seconds of the clock; it may be past by up to SLACK_S or SLACK_FRAMES periods.

        A new period starts a new grid, one old period after the last begin.
        """
        if period_s != self._period_s:
            self._origin_s, self._tick = self._last_s + (self._period_s if self._given else 0.0), -1
            self._period_s = period_s
        self._tick += 1
        late_s = self._clock.now_s() - (self._origin_s + self._tick * period_s)
        if late_s > max(SLACK_S, SLACK_FRAMES * period_s):
            missed = math.ceil(late_s / period_s)
            self.skipped += missed
            self._tick += missed
        self._last_s = self._origin_s + self._tick * period_s
        self._first_s = self._first_s if self._given else self._last_s
        self._given += 1
        return self._last_s
