"""The live path's budgets, measured: `python -m benchmarks.live [--quick] [--out FILE] [--only NAME ...]`."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from . import _busy, _inside, _memory, _peers, _restart, _submit, _throughput
from ._material import chosen_pipeline
from ._plan import FULL, QUICK, Plan
from ._report import RESULTS, as_json, as_markdown, conditions, show, write_readme
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
    """Measure, show, and write what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute instead of some six; nothing is written")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="some of the measurements")
    parser.add_argument("--out", type=Path, help=f"JSON file (default: {RESULTS.name}/live.json of a full run)")
    parser.add_argument("--readme", action="store_true", help="put the table into the README beside this file")
    options = parser.parse_args()
    console = Console()
    around = conditions()
    rows = measure(QUICK if options.quick else FULL, options.only, lambda text: console.print(text, style="dim"))
    show(rows, console)
    out = options.out
    if out is None and not options.quick and tuple(options.only) == NAMES:
        out = RESULTS / "live.json"
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(as_json(rows, around), encoding="utf-8")
        out.with_suffix(".md").write_text(as_markdown(rows, around), encoding="utf-8")
        console.print(f"written: {out}, {out.with_suffix('.md').name}")
    if options.readme:
        write_readme(as_markdown(rows, around))


if __name__ == "__main__":
    main()
