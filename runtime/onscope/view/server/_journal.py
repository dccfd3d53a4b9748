"""What a feedback's journal tells while the run goes on: read here, so that it costs the acquisition nothing."""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from onscope.runtime import OnscopeError
from onscope.runtime.feedback.journal import Entry, Story, asked_words, read_journal

EVERY_S = 1.0
SHARE = 10
"""Between two readings it waits so many times what the last one took: a long journal is read more rarely."""
LAST = 20
LONGEST = 300
DOSE = "dose_j_cm2"


class Journals:
    """Reads the journal that a status names, in the executor; `complete` never waits for it."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._reading: Future[dict[str, Any]] | None = None
        self._known: dict[str, Any] = {DOSE: None, "last": []}
        self._due = 0.0

    def complete(self, feedback: dict[str, Any]) -> dict[str, Any]:
        """A status' block with what the journal told last, and without its path."""
        told = dict(feedback)
        path = told.pop("journal", None)
        if self._reading is not None and self._reading.done():
            self._known, self._reading = self._reading.result(), None
        if path is not None and self._reading is None and time.monotonic() >= self._due:
            self._reading = self._executor.submit(self._read, Path(path))
        return {**self._known, **told}

    def _read(self, path: Path) -> dict[str, Any]:
        began = time.monotonic()
        try:
            told = summed_up(read_journal(path))
        except OnscopeError:  # it has not begun
            told = self._known
        took = time.monotonic() - began
        self._due = time.monotonic() + max(EVERY_S, SHARE * took)
        return told


def summed_up(story: Story) -> dict[str, Any]:
    """The dose of the field that was told last, in J/cm2, and the last entries, the newest last."""
    curve = story.curves.get(DOSE)
    dose = curve.values[-1] if curve is not None and curve.values else None
    return {DOSE: dose, "last": [_told(entry) for entry in story.entries[-LAST:]]}


def _told(entry: Entry) -> dict[str, Any]:
    verdict = entry.verdict
    words = entry.failure or (verdict.reason if verdict is not None and not verdict.passed else "")
    if not words:
        words = asked_words(entry.asked) if entry.asked else entry.because
    return {
        "number": entry.number,
        "rule": entry.rule,
        "kind": entry.kind,
        "passed": verdict is not None and verdict.passed,
        "outcome": entry.outcome,
        "words": words[:LONGEST],
    }
