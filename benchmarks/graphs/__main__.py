"""What compiled graphs cost: `python -m benchmarks.graphs [--quick] [--out FILE] [--only NAME ...] [--readme]`."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from .._report import RESULTS, as_json, as_markdown, conditions, show, write_readme
from . import FULL, NAMES, QUICK, measure

TABLE = "graphs"


def main() -> None:
    """Measure, show, and write what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.graphs", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute instead of several; nothing is written")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="some of the measurements")
    parser.add_argument("--out", type=Path, help=f"JSON file (default: {RESULTS.name}/graphs.json of a full run)")
    parser.add_argument("--readme", action="store_true", help="put the table into benchmarks/README.md")
    options = parser.parse_args()
    console = Console()
    around = conditions()
    around["versions"]["bioimageio.core"] = version("bioimageio.core")
    rows = measure(QUICK if options.quick else FULL, options.only, lambda text: console.print(text, style="dim"))
    show(rows, console)
    out = options.out
    if out is None and not options.quick and tuple(options.only) == NAMES:
        out = RESULTS / "graphs.json"
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(as_json(rows, around), encoding="utf-8")
        out.with_suffix(".md").write_text(as_markdown(rows, around), encoding="utf-8")
        console.print(f"written: {out}, {out.with_suffix('.md').name}")
    if options.readme:
        write_readme(as_markdown(rows, around), TABLE)


if __name__ == "__main__":
    main()
