"""The live path's budgets, measured: `python -m benchmarks.live [--quick] [--out FILE] [--only NAME ...]`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from . import _busy, _command, _inside, _memory, _peers, _restart, _submit, _throughput
from ._material import chosen_pipeline
from ._plan import FULL, QUICK, Plan
from ._rows import Row

NAMES = ("submit", "inside", "replay", "live", "busy", "peers", "restart", "memory")


def measure(plan: Plan, names: Sequence[str] = NAMES, tell: Callable[[str], object] = print) -> list[Row]:
    """Every named measurement, one after the other; files go to a temporary folder."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pipeline, named = chosen_pipeline(folder)
        ways: dict[str, Callable[[], Iterator[Row]]] = {
            "submit": lambda: _submit.measure(plan, folder),
            "inside": lambda: _inside.measure(plan),
            "replay": lambda: _throughput.measure_replay(plan, pipeline, named),
            "live": lambda: _throughput.measure_live(plan, pipeline, named, folder),
            "busy": lambda: _busy.measure(plan, pipeline, named),
            "peers": lambda: _peers.measure(plan),
            "restart": lambda: _restart.measure(plan, pipeline, named),
            "memory": lambda: _memory.measure(plan, pipeline, named),
        }
        rows: list[Row] = []
        for name in names:
            tell(f"measuring {name}")
            rows += ways[name]()
        return rows


def main() -> None:
    """See `_command.run`."""
    _command.run(
        "python -m benchmarks",
        __doc__,
        NAMES,
        lambda quick, names, tell: measure(QUICK if quick else FULL, names, tell),
        "live",
        "about a minute instead of some six",
    )


if __name__ == "__main__":
    main()
