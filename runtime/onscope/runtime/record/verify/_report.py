"""What `verify` found, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..._frame import FrameId
from .._who import runs_of

MOST = 200
"""Sentences that a check keeps; `found` counts all."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `words` say what and how much, `faults` what is wrong, `notes` what is no fault.

    `found` is the number of faults, of which the first are written out.
    """

    name: str
    words: str
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    found: int = 0

    @property
    def good(self) -> bool:
        return not self.found

    @property
    def looked(self) -> bool:
        """Whether there was anything to look at."""
        return not self.words.startswith(("none", "not ", "no arrays"))


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a recording; `state` is the manifest's ("complete", "interrupted", "open", or "unknown")."""

    folder: Path
    state: str
    checks: tuple[Check, ...]

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return all(check.good for check in self.checks)

    @property
    def faults(self) -> list[str]:
        """What is wrong, as sentences."""
        return [fault for check in self.checks for fault in check.faults]

    def __getitem__(self, name: str) -> Check:
        return next(check for check in self.checks if check.name == name)

    def as_json(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "folder": str(self.folder),
            "good": self.good,
            "state": self.state,
            "checks": [asdict(check) | {"good": check.good} for check in self.checks],
        }


@dataclass(slots=True)
class Findings:
    """Faults and notes while they are found; `check` makes the frozen one of them."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    found: int = 0

    def add(self, sentence: str, count: int = 1) -> None:
        self.found += count
        if len(self.faults) < MOST:
            self.faults.append(sentence)

    def check(self, name: str, words: str) -> Check:
        return Check(name, words, tuple(self.faults), tuple(self.notes[:MOST]), self.found)


def ranges(ids: Iterable[FrameId]) -> list[str]:
    """Frames in words, those that follow one another together: "run/camera/0/5 to 7 (3 frames)"."""
    return [
        "/".join(map(str, first)) + (f" to {first.seq + count - 1} ({count} frames)" if count > 1 else "")
        for first, count in runs_of(ids)
    ]


def listed(words: Sequence[str], most: int = 3) -> str:
    """The first few, and how many more there are."""
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")
