"""A journal in short: how much was asked for, what became of it, and why not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ._entry import Entry, Outcome, Story
from ._words import clean

NUMBERS = re.compile(r"-?\d[\d,.]*(?:e[+-]?\d+)?")
MOST_REASONS = 1000


@dataclass(frozen=True, slots=True)
class Refusal:
    """Refusals alike but for their numbers: how many, the last one's reason and event."""

    count: int
    reason: str
    number: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts by rule and outcome; refusals and failures, the most frequent first; milliseconds from a frame's receipt
    to the first command, in rising order."""

    outcomes: Mapping[str, Mapping[Outcome, int]]
    refusals: tuple[Refusal, ...]
    failures: tuple[Refusal, ...]
    events: tuple[Entry, ...]
    command_ms: tuple[float, ...]

    def count(self, *outcomes: Outcome) -> int:
        """How many events of all rules ended so."""
        return sum(each.get(outcome, 0) for each in self.outcomes.values() for outcome in outcomes)


def summary(story: Story) -> Summary:
    """The whole journal."""
    outcomes: dict[str, Counter[Outcome]] = {}
    refused: dict[str, tuple[int, str, int]] = {}
    failed: dict[str, tuple[int, str, int]] = {}
    waits = []
    for entry in story:
        if entry.frame is None:
            continue
        outcomes.setdefault(entry.rule, Counter())[entry.outcome] += 1
        if entry.outcome == "refused" and entry.verdict is not None:
            _add(refused, entry.verdict.reason, entry.number)
        if entry.failure is not None:
            _add(failed, entry.failure, entry.number)
        if entry.done is not None and entry.commands and entry.received_ns is not None:
            waits.append((entry.commands[0].at_ns - entry.received_ns) / 1e6)
    events = tuple(entry for entry in story if entry.frame is None)
    return Summary(outcomes, _most(refused), _most(failed), events, tuple(sorted(waits)))


def _add(found: dict[str, tuple[int, str, int]], reason: str, number: int) -> None:
    alike = NUMBERS.sub("#", clean(reason))
    if alike in found or len(found) < MOST_REASONS:
        found[alike] = (found.get(alike, (0,))[0] + 1, clean(reason), number)


def _most(found: Mapping[str, tuple[int, str, int]]) -> tuple[Refusal, ...]:
    return tuple(Refusal(*each) for each in sorted(found.values(), key=lambda each: (-each[0], each[2])))
