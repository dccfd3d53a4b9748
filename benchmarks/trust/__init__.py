"""What trust values find and what they cost: ROC curves on the specimen, times beside the inference."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._rows import Row
from ._cost import cost
from ._found import found
from ._plan import FULL, QUICK, TINY, Plan

NAMES = ("found", "cost")


def measure(plan: Plan, names: Sequence[str], told: Callable[[str], object]) -> list[Row]:
    """The rows of the chosen measurements; `told` hears as each part begins."""
    rows = found(plan, told) if "found" in names else []
    return rows + (cost(plan, told) if "cost" in names else [])


__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Plan", "measure"]
