"""The account of a run that was, as its recording has it."""

from __future__ import annotations

import csv
from pathlib import Path

STATES = ("done", "late", "skipped", "failed", "lost_upstream")


class Account:
    """What became of the frames, and how many were shown: what the view asks of a ledger."""

    def __init__(self, folder: Path | None) -> None:
        self.submitted = 0
        """Frames that were shown, which rates are taken of."""
        self.counts: dict[str, int] = dict.fromkeys((*STATES, "open"), 0)
        self.reasons: dict[str, int] = {}
        for state, reason, frames in [] if folder is None else _rows(folder / "ledger.csv"):
            self.counts[state] = self.counts.get(state, 0) + frames
            name = f"{state}({reason})" if reason else state
            self.reasons[name] = self.reasons.get(name, 0) + frames

    @property
    def open(self) -> int:
        return 0


def _rows(path: Path) -> list[tuple[str, str, int]]:
    """State, reason and number of frames of each row; none where the run was cut off before it was written."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [(row["state"], row["reason"], int(row["frames"])) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return []
