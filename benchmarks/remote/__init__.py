"""The link to a box: what it carries, against a bare socket, what it adds to a frame's latency, what packing gains."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._rows import Row
from ._bench import latency, throughput
from ._cables import cables
from ._packing import packing
from ._plan import FULL, NAMES, QUICK, TINY, Plan


def measure(plan: Plan, names: Sequence[str], told: Callable[[str], object]) -> list[Row]:
    """The rows of the chosen measurements; `told` hears as each part begins."""
    parts = {"throughput": throughput, "cables": cables, "latency": latency, "packing": packing}
    return [row for name, part in parts.items() if name in names for row in part(plan, told)]


__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Plan", "measure"]
