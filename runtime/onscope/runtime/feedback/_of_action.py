"""Which frames an action asked for: they set off no rule, and their light is booked with the action."""

from __future__ import annotations

import re

from .._frame import Frame

POSITIONS = re.compile(r"(burst|stack|visit|autofocus) \d+( tile \d+)?")
"""What acquisitions call the positions that frames of actions are put at."""


def of_action(frame: Frame) -> bool:
    """Whether an action asked for the frame (a burst, a stack, a tile): the routine has others."""
    return "action" in frame.labels or POSITIONS.fullmatch(frame.labels.get("p", "")) is not None
