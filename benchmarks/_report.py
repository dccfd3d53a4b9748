"""A report: on the screen, as JSON, and as a Markdown table."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from onscope.runtime.record import machine, versions

from ._rows import Row

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: written by `python -m benchmarks --readme` -->", "<!-- end of results -->"
PLACES = {
    "live": (BEGIN, END),
    "labels": ("<!-- labels: written by `python -m benchmarks.labels --readme` -->", "<!-- end of labels -->"),
    "graphs": ("<!-- graphs: written by `python -m benchmarks.graphs --readme` -->", "<!-- end of graphs -->"),
    "precision": (
        "<!-- precision: written by `python -m benchmarks.precision --readme` -->",
        "<!-- end of precision -->",
    ),
    "recording": (
        "<!-- recording: written by `python -m benchmarks.recording --readme` -->",
        "<!-- end of recording -->",
    ),
    "view": ("<!-- view: written by `python -m benchmarks.view --readme` -->", "<!-- end of view -->"),
    "feedback": (
        "<!-- feedback: written by `python -m benchmarks.feedback --readme` -->",
        "<!-- end of feedback -->",
    ),
    "remote": ("<!-- remote: written by `python -m benchmarks.remote --readme` -->", "<!-- end of remote -->"),
    "hooks": ("<!-- hooks: written by `python -m benchmarks.hooks --readme` -->", "<!-- end of hooks -->"),
    "gpu": ("<!-- gpu: written by `python -m benchmarks.gpu --readme` -->", "<!-- end of gpu -->"),
    "capacity": (
        "<!-- capacity: written by `python -m benchmarks.capacity --readme` -->",
        "<!-- end of capacity -->",
    ),
    "reprocess": (
        "<!-- reprocess: written by `python -m benchmarks.reprocess --readme` -->",
        "<!-- end of reprocess -->",
    ),
    "serving": ("<!-- serving: written by `python -m benchmarks.serving --readme` -->", "<!-- end of serving -->"),
    "trust": ("<!-- trust: written by `python -m benchmarks.trust --readme` -->", "<!-- end of trust -->"),
}
"""Where in the README each table stands: between these two lines."""
HEAD = ("what", "onscope", "against", "ratio", "budget", "met")


def conditions() -> dict[str, Any]:
    """Machine, versions, and how busy the machine is with other things just now."""
    load = [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []
    return {
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "load_before": load,
        "kernel": platform.release(),
    }


def as_json(rows: Sequence[Row], around: dict[str, Any]) -> str:
    return json.dumps({"schema": 1, **around, "rows": [asdict(row) for row in rows]}, indent=1) + "\n"


def as_markdown(rows: Sequence[Row], around: dict[str, Any]) -> str:
    """The table and the line that says where it was taken."""
    host = around["machine"]
    lines = [
        f"{host['cpu']}, {host['cores']} cores, {host['system']}; Python {around['versions']['python']}, onnxruntime "
        f"{around['versions'].get('onnxruntime', '?')}, numpy {around['versions'].get('numpy', '?')}; "
        f"{around['taken'][:16].replace('T', ' ')} UTC, load before the run {around['load_before'][:1]}",
        "",
        "| " + " | ".join(HEAD) + " |",
        "|" + "---|" * len(HEAD),
        *("| " + " | ".join(_cells(row)) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def show(rows: Sequence[Row], console: Console) -> None:
    table = Table(*HEAD)
    for row in rows:
        table.add_row(*_cells(row), style="" if row.met is not False else "yellow")
    console.print(table)


def write_readme(markdown: str, table: str = "live") -> None:
    """Put the table where the README has its results."""
    begin, end = PLACES[table]
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    README.write_text(f"{before}{begin}\n\n{markdown}\n{end}{after}", encoding="utf-8")


def _cells(row: Row) -> list[str]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    met = {True: "yes", False: "no", None: ""}[row.met]
    return [row.what, row.ours, row.against, ratio, row.budget, met]
