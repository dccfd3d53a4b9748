"""How long to sleep between two looks into the core's buffer: most of an exposure brings nothing."""

from __future__ import annotations

from onscope.runtime import now_ns

WAIT_S = 0.0003
"""Between two looks into an empty buffer: short against an exposure, long against a look (0.1 us)."""
NAP_S = 0.01
"""Longest sleep at once: what changes meanwhile, and a scope that is closed, are seen after it."""
PART, GAIN = 0.7, 0.02
"""Part of an exposure that is slept through, and how fast it comes back after it was too long."""


class Pace:
    """Sleeps for a camera whose images come an exposure apart or later.

    After an image that was waited for, the next one cannot come before an exposure has passed. Where it was there
    already after such a nap (a camera that is triggered faster than it says, a busy machine), naps get half as long.
    """

    def __init__(self, exposure_ms: float = 0.0) -> None:
        self._exposure_ns = exposure_ms * 1e6
        self._part = PART
        self._came_ns = 0
        self._napped = False

    def came(self, looks: int) -> None:
        """An image was there after `looks` looks into an empty buffer."""
        if self._napped:
            self._part /= 2
        elif looks:
            self._part = min(PART, self._part + GAIN)
        self._napped = False
        self._came_ns = now_ns() if looks else 0

    def pause_s(self) -> float:
        """How long to sleep after a look that found nothing."""
        left_s = (self._came_ns + self._part * self._exposure_ns - now_ns()) / 1e9 if self._came_ns else 0.0
        self._napped = left_s > WAIT_S
        return min(left_s, NAP_S) if self._napped else WAIT_S
