"""Shorter turns for Python's threads: one that wants the interpreter gets it sooner from one that never rests."""

from __future__ import annotations

import sys

SWITCH_INTERVAL_S = 0.0001
"""Seconds; Python's own is 0.005. Measured, see docs/decisions/0008-machine-care.md."""


class ShortTurns:
    """The switch interval is `SWITCH_INTERVAL_S` until `end`, unless it was shorter already."""

    def __init__(self) -> None:
        self._before = sys.getswitchinterval()
        if self._before > SWITCH_INTERVAL_S:
            sys.setswitchinterval(SWITCH_INTERVAL_S)

    def end(self) -> None:
        """Put back what was, unless someone has set another value meanwhile."""
        ours = abs(sys.getswitchinterval() - SWITCH_INTERVAL_S) < 1e-6  # Python keeps whole microseconds
        if ours and self._before > SWITCH_INTERVAL_S:
            sys.setswitchinterval(self._before)
