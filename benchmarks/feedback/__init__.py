"""Feedback: how fast the microscope is told, how fast it is made safe, and what event-driven imaging is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._rows import Row
from ._kills import kills
from ._latency import latency
from ._plan import FULL, QUICK, TINY, Plan
from ._rare import rare

NAMES = ("latency", "kills", "rare")


def measure(plan: Plan, names: Sequence[str], told: Callable[[str], object]) -> list[Row]:
    """The rows of the chosen measurements; `told` hears as each part begins."""
    rows = latency(plan, told) if "latency" in names else []
    rows += kills(plan, told) if "kills" in names else []
    return rows + (list(rare(plan, told)) if "rare" in names else [])


__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Plan", "measure"]
