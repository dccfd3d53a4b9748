"""Windows to a Triton server and back: against a bare client, a worker of this machine, and several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._rows import Row
from ._classes import classes
from ._clients import clients
from ._flight import in_flight
from ._plan import FULL, NAMES, QUICK, TINY, Plan
from ._server import serving
from ._trip import beside_a_process, round_trip

PARTS = {"trip": round_trip, "process": beside_a_process, "flight": in_flight, "clients": clients, "classes": classes}


def measure(plan: Plan, names: Sequence[str], told: Callable[[str], object]) -> list[Row]:
    """The rows of the chosen measurements, all against one server; `told` hears as each part begins."""
    with serving(plan) as served:
        return [row for name, part in PARTS.items() if name in names for row in part(plan, served, told)]


__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Plan", "measure"]
