"""Recording: the recorder against bare writes, formats, compression and chunking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .._rows import Row
from ._codecs import measure_codecs
from ._plan import FULL, QUICK, TINY, Plan
from ._recorded import Tell, measure_formats, measure_recorder

MEASUREMENTS: dict[str, Callable[[Plan, Tell], Iterator[Row]]] = {
    "recorder": measure_recorder,
    "formats": measure_formats,
    "codecs": measure_codecs,
}
NAMES = tuple(MEASUREMENTS)

__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Plan", "measure"]


def measure(plan: Plan, names: Sequence[str] = NAMES, tell: Tell = print) -> list[Row]:
    """Every named measurement, one after the other; files go to temporary folders."""
    rows: list[Row] = []
    for name in names:
        tell(f"measuring {name}")
        rows += MEASUREMENTS[name](plan, tell)
    return rows
