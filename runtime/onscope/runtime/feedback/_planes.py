"""Where the planes of stacks and autofocus lie: the gate checks the same ones that a controller drives to."""

from __future__ import annotations

import math

from ._actions import Autofocus, Stack


def planes(action: Stack | Autofocus) -> int:
    """How many images are taken; raises ValueError where that is no finite number of at least one.

    An autofocus takes those that lie within half of `range_um` below and above the present focus, that one included.
    """
    if isinstance(action, Stack):
        count: float = action.planes
    else:
        half = action.range_um / 2 / action.step_um if action.step_um > 0 else math.nan
        count = 2 * math.floor(half + 1e-9) + 1 if math.isfinite(half) else math.nan
    if not 1 <= count < math.inf:
        raise ValueError(f"found {action}, expected at least one plane, and a step above 0 um")
    return int(count)


def offsets_um(action: Stack | Autofocus) -> list[float]:
    """The planes' places relative to the present focus in micrometres, lowest first."""
    count = planes(action)
    return [(index - (count - 1) / 2) * action.step_um for index in range(count)]
