"""One line of a report: ours, what it is held against, and the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

PERCENTILES = (50, 90, 99)


@dataclass(frozen=True)
class Row:
    """`ours` and `against` as texts with their units; `ratio` ours / against; `detail` all numbers behind them.

    `met` says whether the ratio (or the figure, where there is nothing to compare with) is within `budget`; None where
    nothing was promised.
    """

    what: str
    ours: str
    against: str = ""
    ratio: float | None = None
    budget: str = ""
    met: bool | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def spread(values: Sequence[float], digits: int = 2) -> dict[str, float]:
    """Count, percentiles and extremes of a sample, in its own unit."""
    sample = np.asarray(values, float)
    found = {f"p{q}": round(float(np.percentile(sample, q)), digits) for q in PERCENTILES}
    return {
        "n": len(sample),
        "min": round(float(sample.min()), digits),
        **found,
        "max": round(float(sample.max()), digits),
    }


def at_most(what: str, ours: str, against: str, ratio: float, limit: float, detail: Mapping[str, Any]) -> Row:
    """A cost: the ratio may be `limit` at most."""
    return Row(what, ours, against, round(ratio, 3), f"at most {limit:g}", ratio <= limit, detail)


def at_least(what: str, ours: str, against: str, ratio: float, limit: float, detail: Mapping[str, Any]) -> Row:
    """A yield: the ratio must be `limit` at least."""
    return Row(what, ours, against, round(ratio, 3), f"at least {limit:g}", ratio >= limit, detail)
