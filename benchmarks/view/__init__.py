"""The live view: what viewers cost a run, and how old the pictures are that they see."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._rows import Row
from ._age import age
from ._plan import FULL, QUICK, TINY, Plan
from ._throughput import throughput

NAMES = ("throughput", "age")


def measure(plan: Plan, names: Sequence[str], told: Callable[[str], object]) -> list[Row]:
    """The rows of the chosen measurements; `told` hears as each part begins."""
    rows = throughput(plan, told) if "throughput" in names else []
    return rows + (age(plan, told) if "age" in names else [])


__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Plan", "measure"]
