"""The link to a box: what it carries, against a bare socket, and what it adds to a frame's latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._rows import Row
from ._bench import latency, throughput
from ._cables import cables
from ._plan import FULL, NAMES, QUICK, TINY, Plan


def measure(plan: Plan, names: Sequence[str], told: Callable[[str], object]) -> list[Row]:
    """The rows of the chosen measurements; `told` hears as each part begins."""
    rows = throughput(plan, told) if "throughput" in names else []
    rows += cables(plan, told) if "cables" in names else []
    return rows + (latency(plan, told) if "latency" in names else [])


__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Plan", "measure"]
