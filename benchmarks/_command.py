"""The command line of a benchmark with a table: what it measures is shown and written."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from ._report import RESULTS, as_json, as_markdown, conditions, show, write_readme
from ._rows import Row

Measure = Callable[[bool, Sequence[str], Callable[[str], object]], Iterable[Row]]
"""(quick, names of the measurements, told as each begins) -> rows."""


def run(
    prog: str,
    about: str | None,
    names: tuple[str, ...],
    measure: Measure,
    table: str,
    quick: str,
    versions: Mapping[str, str] | None = None,
) -> None:
    """Measure, show, and write what was found: `table` names the result's files and its place in the README.

    `quick` says how long the short way takes; `versions` go beside those of `conditions`.
    """
    parser = argparse.ArgumentParser(prog=prog, description=about)
    parser.add_argument("--quick", action="store_true", help=f"{quick}; nothing is written")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="some of the measurements")
    parser.add_argument("--out", type=Path, help=f"JSON file (default: {RESULTS.name}/{table}.json of a full run)")
    parser.add_argument("--readme", action="store_true", help="put the table into benchmarks/README.md")
    options = parser.parse_args()
    console = Console()
    around = conditions()
    around["versions"].update(versions or {})
    rows: list[Row] = []
    try:
        rows.extend(measure(options.quick, options.only, lambda text: console.print(text, style="dim")))
    finally:  # what an error or Ctrl-C leaves is shown
        show(rows, console)
    out = options.out
    if out is None and not options.quick and tuple(options.only) == names:
        out = RESULTS / f"{table}.json"
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(as_json(rows, around), encoding="utf-8")
        out.with_suffix(".md").write_text(as_markdown(rows, around), encoding="utf-8")
        console.print(f"written: {out}, {out.with_suffix('.md').name}")
    if options.readme:
        write_readme(as_markdown(rows, around), table)
