"""What `onscope export` shows: the step at hand with its clock, and the table of the proof."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from .proof import PICTURE, Report

COUNTED = re.compile(r" \d+/\d+$")
"""What a step says of how far it is."""


class Steps:
    """One line per step: a spinner while it runs, its time when it is done. Called with the name of each next step.

    "proving parity 3/7" goes on with the line of "proving parity 2/7".
    """

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._current: TaskID | None = None
        self._name = ""

    def __call__(self, step: str) -> None:
        name, before = COUNTED.sub("", step), self._name
        self._name = name
        if name == before and name != step and self._current is not None:
            self._progress.update(self._current, description=step)
            return
        self._finish()
        self._current = self._progress.add_task(step, total=1)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
        self._progress.stop()

    def _finish(self) -> None:
        if self._current is not None:
            self._progress.update(self._current, completed=1)


def parity_table(report: Report) -> Table:
    """The numbers of the proof; errors relative to the range of the network's output."""
    table = Table(title=f"{report.name}: export against network", title_justify="left")
    for heading in ("output", "input", "y x x", "max error", "99.9 %", "differ", "points"):
        table.add_column(heading, justify="left" if heading in ("output", "input") else "right")
    for one in report.parity:
        table.add_row(
            one.output,
            one.where,
            f"{one.size[0]} x {one.size[1]}",
            f"{one.max_relative:.1e}",
            f"{one.p999_relative:.1e}",
            "" if one.differing is None else f"{one.differing:.3%}",
            "" if one.rows is None else str(one.rows),
            style=None if one.passed else "red",
        )
    return table


def metrics_table(report: Report) -> Table:
    """What the errors mean for the answers, behind all steps; of what each number is stands in the README.md."""
    table = Table(title="what that means for the answers", title_justify="left")
    for heading in ("output", "input", "metric", "value", "at least"):
        table.add_column(heading, justify="right" if heading in ("value", "at least") else "left")
    for one in report.metrics:
        style = None if one.passed else "red"
        table.add_row(one.output, one.where, one.name, one.words, one.least, style=style)
    return table


def show(report: Report) -> None:
    """Print what an export was: the verdict, the proof, the notes, and where the package is."""
    console = Console()
    style = "bold green" if report.passed else "bold red"
    console.print(f"the export is {report.verdict}", style=style, markup=False, highlight=False, soft_wrap=True)
    console.print(parity_table(report))
    if report.metrics:
        console.print(metrics_table(report))
    for note in report.notes:
        console.print(f"note: {note}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"{report.parameters:,} parameters, {report.weights_bytes / 1e6:.2f} MB, by {report.exporter}, opset "
        f"{report.opset}, sha256 {report.weights_sha256[:12]}…",
        highlight=False,
    )
    console.print(f"picture: {report.folder / PICTURE}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"package: {report.folder}", markup=False, highlight=False, soft_wrap=True)
