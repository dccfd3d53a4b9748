"""What `onscope reduce` shows: a bar for each step, and the tables of errors and speeds."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from ._report import FRAMES, VariantReport


class Bars:
    """A bar per step. Called with a step's name, how much of it is done and of how much."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
        )
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: str, done: int, total: int) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(step, total=total)
        self._progress.update(self._tasks[step], completed=done, total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()


def error_table(reports: Sequence[VariantReport]) -> Table:
    """How far the variants are off, and what stayed in float."""
    table = Table(title="variants against the float weights", title_justify="left")
    for heading in ("variant", "output", "error", "limit", "wholly", "in float", "passes"):
        table.add_column(heading, justify="left" if heading in ("variant", "output") else "right")
    for report in reports:
        for one, wholly in zip(report.measured, report.wholly, strict=True):
            kept = f"{len(report.kept)} of {report.layers}"
            row = (f"{one.error:.2%} {FRAMES[one.kind]}", f"{one.limit:.0%}", f"{wholly.error:.2%}", kept)
            passed = "yes" if one.passed else "no"
            table.add_row(report.precision, one.output, *row, passed, style="" if one.passed else "red")
    return table


def speed_table(reports: Sequence[VariantReport]) -> Table:
    """Speed relative to the float weights."""
    table = Table(title="speed on this machine", title_justify="left")
    for heading in ("variant", "engine", "times as fast", "float, ms", "variant, ms", "frame"):
        table.add_column(heading, justify="left" if heading in ("variant", "engine") else "right")
    for report in reports:
        for engine, timed in report.speeds.items():
            numbers = (f"{timed.ratio:.2f}", f"{timed.float_ms:.2f}", f"{timed.variant_ms:.2f}", timed.size)
            table.add_row(report.precision, engine, *numbers)
    return table
