"""A change of level in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ._budget import Budget
from ._controller import BUSY, MARGIN, Change
from ._levels import Level


def words_of(change: Change, levels: Sequence[Level], budget: Budget) -> str:
    """What holds from now on, and the numbers that were the reason."""
    what = f"level {change.after} of {len(levels) - 1}, {levels[change.after].words}"
    if not change.results:
        return f"{what}: tried, since nothing was measured for a while"
    seen = f"95th percentile of {change.results} results {_ms(change.latency_ms)}, computing {_ms(change.cost_ms)}"
    if change.after > change.before:
        return f"{what}: {seen}; the budget is {budget.ms:g} ms"
    limit = f"up to {MARGIN:.0%} of {budget.ms:g} ms and {BUSY:.0%} of the time may be used"
    expected = "no prediction"
    if change.predicted is not None and not math.isnan(change.predicted.latency_ms):
        expected = f"{_ms(change.predicted.latency_ms)} and {change.predicted.busy:.0%} of the time are predicted"
    tried = ", tried all the same" if change.trial else ""
    return f"{what}: {seen}; {expected}, {limit}{tried}"


def _ms(value: float) -> str:
    return "for ever" if math.isinf(value) else f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"
