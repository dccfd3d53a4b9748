"""All measurements by name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .._rows import Row
from . import _busy, _engines, _host, _merged, _network, _tiles
from ._plan import Plan

WAYS: dict[str, Callable[[Plan, Path], Iterator[Row]]] = {
    "network": _network.measure,
    "host": _host.measure,
    "busy": _busy.measure,
    "merged": _merged.measure,
    "engines": _engines.measure,
    "tiles": _tiles.measure,
}
NAMES = tuple(WAYS)


def measure(plan: Plan, names: Sequence[str] = NAMES, tell: Callable[[str], object] = print) -> list[Row]:
    """Every named measurement, one after the other; files go to a temporary folder."""
    with tempfile.TemporaryDirectory() as temporary:
        rows: list[Row] = []
        for name in names:
            tell(f"measuring {name}")
            folder = Path(temporary, name)
            folder.mkdir()
            rows += WAYS[name](plan, folder)
        return rows
