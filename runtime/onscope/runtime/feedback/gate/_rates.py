"""Rates: how many actions, and frames of theirs, within any one second (of less than one per second: within the time
of one).
"""

from __future__ import annotations

import math
from collections import deque

from .._limits import Limits
from ._imaging import Checked
from ._values import RefusedError


class Rates:
    """What has passed lately; times are those of the one clock (ns) and never go back."""

    def __init__(self) -> None:
        self._actions: deque[int] = deque()
        self._frames: list[tuple[int, float]] = []
        """When the last frame of an action has left the window, and how many of its frames one window can hold."""

    def check(self, checked: Checked, limits: Limits, now_ns: int, *, calming: bool) -> None:
        """Raise RefusedError where it would be one too many. What only calms the microscope is never too many."""
        window_ns, most = _window(limits.actions_per_s)
        while self._actions and self._actions[0] <= now_ns - window_ns:
            self._actions.popleft()
        if not calming and len(self._actions) + 1 > most:
            raise RefusedError(
                f"found {len(self._actions)} actions in the last {window_ns / 1e9:g} s, allowed are {most:g}: give the "
                "rules cooldowns"
            )
        if checked.frames and limits.frames_per_s < math.inf:
            window_ns, most = _window(limits.frames_per_s)
            self._frames = [each for each in self._frames if each[0] > now_ns]
            frames = sum(count for _, count in self._frames) + _at_once(checked, window_ns)
            if frames > most:
                raise RefusedError(
                    f"found {frames:g} frames asked for within {window_ns / 1e9:g} s, allowed are {most:g}: ask for "
                    "fewer, or with an interval"
                )

    def note(self, checked: Checked, limits: Limits, now_ns: int) -> None:
        """It passes."""
        if limits.actions_per_s < math.inf:
            self._actions.append(now_ns)
        if checked.frames and limits.frames_per_s < math.inf:
            window_ns, _ = _window(limits.frames_per_s)
            lasts_ns = int(checked.frames * checked.period_ms * 1e6)
            self._frames.append((now_ns + lasts_ns + window_ns, _at_once(checked, window_ns)))


def _window(per_s: float) -> tuple[int, float]:
    """How long is looked back, ns, and how many are allowed in that time."""
    if not 0 < per_s < math.inf:
        return 1_000_000_000, per_s
    seconds = max(1.0, 1.0 / per_s)
    return int(min(seconds, 1e9) * 1e9), math.floor(per_s * seconds + 1e-9)


def _at_once(checked: Checked, window_ns: int) -> float:
    """The most of its frames that fall within one window."""
    if checked.period_ms <= 0:
        return checked.frames
    return min(checked.frames, math.floor(window_ns / 1e6 / checked.period_ms) + 1)
