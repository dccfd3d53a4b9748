"""What a report is made of: all of a recording that can be read, and in words what cannot."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onscope.runtime import OnscopeError, RecordError
from onscope.runtime.feedback.journal import Story, read_journal
from onscope.runtime.record import RecordedRun, is_recording, open_recording, read_table
from onscope.runtime.record.about import About, about, methods, size_words
from onscope.runtime.record.verify import Report, verify

from ._words import named

JOURNAL = "feedback.jsonl"
CHEAP = 1_000_000_000
"""Bytes of a recording that is checked without being asked: about a second per 100 MB on a slow disk."""
MOST_LEDGER = 1_000_000
MOST_TEXT = 200_000
"""Characters of methods.md."""
BREAKS = (
    *(OnscopeError, OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, ArithmeticError),
    *(RecursionError, pa.ArrowException, csv.Error),
)
"""What a damaged recording makes its readers raise."""

T = TypeVar("T")


class LedgerRow(NamedTuple):
    """`frames` frames from `seq` on that ended alike."""

    run: str
    camera: str
    segment: int
    seq: int
    state: str
    reason: str
    frames: int


@dataclass(frozen=True)
class Found:
    """A recording as far as it can be read: None is what is not there, or cannot be read; then `troubles` say why.

    Tables are pyarrow's. `checked` is what a verification found (nothing is computed again), `unchecked` why there is
    none.
    """

    folder: Path
    about: About | None
    run: RecordedRun | None
    frames: Any
    results: Any
    values: Any
    ledger: tuple[LedgerRow, ...]
    story: Story | None
    methods: str
    checked: Report | None
    unchecked: str
    troubles: tuple[str, ...]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def zero_ns(self) -> int:
        """The moment that times are counted from: the beginning of the recording, or the first that is known."""
        if self.about is not None:
            return self.about.facts.clock.monotonic_ns
        times = [column(table, "received_ns") for table in (self.frames, self.results)]
        first = [int(np.nanmin(each)) for each in times if np.isfinite(each).any()]
        return min([*first, *([self.story.head.clock.monotonic_ns] if self.story else [])], default=0)

    def seconds(self, ns: Any) -> npt.NDArray[np.float64]:
        """Monotonic nanoseconds as seconds after `zero_ns`."""
        return (np.asarray(ns, np.float64) - self.zero_ns) / 1e9


def column(table: Any, name: str) -> npt.NDArray[np.float64]:
    """A column of numbers, nulls as NaN; empty where there is none."""
    if table is None or name not in table.column_names:
        return np.zeros(0)
    try:
        return np.asarray(table[name].to_numpy(), np.float64)
    except (TypeError, ValueError, pa.ArrowException):
        return np.zeros(0)


def look(folder: Path, check: bool | None = None) -> Found:
    """Read a recording, in whatever state it is. `check`: verify it (None: if it is small).

    Raises RecordError when the folder is none.
    """
    if not is_recording(folder):
        raise RecordError(f"found no recording of onscope at {folder}, expected one: give its folder")
    troubles: list[str] = []

    def attempt(what: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except BREAKS as error:
            told = str(error) if isinstance(error, OnscopeError) else f"{type(error).__name__}: {error}"
            troubles.append(named(f"{what} could not be read: {told}", folder))
            return None

    told = attempt("the description of the run", lambda: about(folder))
    run = attempt("the list of images", lambda: open_recording(folder))
    tables = {name: attempt(f"the table of {name}", lambda name=name: _table(folder, run, name)) for name in TABLES}  # type: ignore[misc]
    ledger = attempt("the account of the frames", lambda: tuple(_ledger(folder / "ledger.csv")))
    has_story = (folder / JOURNAL).is_file() and not (folder / JOURNAL).is_symlink()
    story = attempt("the journal of the feedback", lambda: read_journal(folder / JOURNAL)) if has_story else None
    checked, unchecked = None, "it was not asked for"
    if check or (check is None and told is not None and told.nbytes <= CHEAP and told.facts.state != "open"):
        checked = attempt("the check of the files", lambda: verify(folder, sample=0))
        unchecked = "" if checked else "the check itself failed"
    elif check is None and told is not None:
        large = told.facts.state != "open"
        unchecked = f"it is large ({size_words(told.nbytes)})" if large else "its run has not ended, or was cut off"
    text = attempt("methods.md", lambda: _methods(folder, told)) or ""
    return Found(
        folder, told, run, tables["frames"], tables["results"], tables["values"], ledger or (), story, text, checked,
        unchecked, tuple(dict.fromkeys(troubles)),
    )  # fmt: skip


TABLES = ("frames", "results", "values")


def _table(folder: Path, run: RecordedRun | None, name: str) -> Any:
    if name == "frames" and run is not None:
        return run.table("frames")
    if not any(folder.glob(f"{name}*.arrows")) and not (folder / f"{name}.parquet").exists():
        return None
    return read_table(folder, name)


def _ledger(path: Path) -> list[LedgerRow]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        return [
            LedgerRow(
                row["run"], row["camera"], int(row["segment"]), int(row["seq"]), row["state"], row["reason"],
                int(row["frames"]),
            )
            for row in islice(csv.DictReader(file), MOST_LEDGER)
        ]  # fmt: skip


def _methods(folder: Path, told: About | None) -> str:
    """As the recorder wrote it and people completed it; of a run that was cut off as it would have been written."""
    path = folder / "methods.md"
    if path.is_file() and not path.is_symlink():
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(MOST_TEXT)
    return methods(told) if told is not None else ""
