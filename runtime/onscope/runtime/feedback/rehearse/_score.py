"""What rules found, missed and took for what it was not, against the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from ._pass import Deed, Pass
from ._truth import Span, joined

DIVISION = frozenset({"prophase", "prometaphase", "metaphase", "anaphase", "telophase"})
"""What an event is where nothing else is told: a cell that divides."""
REACH_UM = 8.0
"""How far from a true object's middle a proposal's object may be: about the radius of a nucleus."""


@dataclass(frozen=True, slots=True)
class RuleScore:
    """One rule. `proposals` that the gate `passed` and `refused`; what was `done`, or `failed` in the hardware.

    Of its proposals, `true` ones met an event (None: not judged, it names no object and is not asked to find any).
    `found` events of all `events` had one that passed, after `delay_s` in the median.
    """

    rule: str
    proposals: int
    passed: int
    refused: int
    done: int
    failed: int
    true: int | None = None
    false: int | None = None
    events: int | None = None
    found: int | None = None
    delay_s: float | None = None

    @property
    def missed(self) -> int | None:
        """Events that no proposal met."""
        return None if self.events is None or self.found is None else self.events - self.found


def scores(done: Pass, kinds: Collection[str], judged: Collection[str] = ()) -> list[RuleScore]:
    """Each rule's score, in the order of their first proposals.

    An event is an object that is one of `kinds` for a while. Rules named in `judged` are to find them (none named:
    those whose proposals name an object). Without a truth nothing is judged. Events that had ended when the first frame
    was taken are not counted.
    """
    names = list(dict.fromkeys([*(deed.proposal.rule for deed in done.deeds), *judged]))
    events = None if done.story is None else joined(done.story.spans, frozenset(kinds))
    return [_score(name, done, events, frozenset(kinds), judged) for name in names]


def _score(
    name: str, done: Pass, events: Sequence[Span] | None, kinds: frozenset[str], judged: Collection[str]
) -> RuleScore:
    mine = [deed for deed in done.deeds if deed.proposal.rule == name]
    passed = sum(deed.verdict.passed for deed in mine)
    counts = (len(mine), passed, len(mine) - passed)
    carried, failed = sum(deed.done is not None for deed in mine), sum(bool(deed.failed) for deed in mine)
    looks = name in judged if judged else any(deed.proposal.target is not None for deed in mine)
    if events is None or not looks:
        return RuleScore(name, *counts, carried, failed)
    met: dict[int, float] = {}
    true = 0
    for deed in mine:
        hit = meets(deed, events, kinds)
        true += hit is not None
        for number in hit or ():
            if deed.verdict.passed and number not in met:
                met[number] = deed.time_s - events[number].from_s
    delay = median(met.values()) if met else None
    return RuleScore(name, *counts, carried, failed, true, len(mine) - true, len(events), len(met), delay)


def meets(deed: Deed, events: Sequence[Span], kinds: frozenset[str]) -> tuple[int, ...] | None:
    """Numbers of the events that a proposal met; None: it was false.

    One with an object is true when the true object next to it, within REACH_UM, is of `kinds`; one without when any
    object in its frame is. A true one may be of an object that is no event of the story: it began outside.
    """
    if deed.truth is None:
        return None
    who = object_of(deed)
    rows = deed.truth.objects
    here = rows[np.isin(rows["kind"], list(kinds))]
    if deed.proposal.target is not None:
        here = here[here["id"] == who]
    if not len(here):
        return None
    ids, at = set(here["id"].tolist()), deed.truth.time_s
    return tuple(n for n, event in enumerate(events) if event.id in ids and event.from_s <= at <= event.to_s)


def object_of(deed: Deed) -> int:
    """The true object that a proposal names; 0: none is near."""
    target, truth = deed.proposal.target, deed.truth
    if target is None or truth is None or not len(truth.objects):
        return 0
    away = np.hypot(truth.objects["y"] - target.y, truth.objects["x"] - target.x) * truth.pixel_um
    nearest = int(np.argmin(away))
    return int(truth.objects["id"][nearest]) if away[nearest] <= REACH_UM else 0


def refusals(deeds: Sequence[Deed]) -> Counter[str]:
    """How often the gate refused, by the sentence with its numbers left out."""
    return Counter(_without_numbers(deed.verdict.reason) for deed in deeds if not deed.verdict.passed)


def _without_numbers(sentence: str) -> str:
    return " ".join("#" if any(each.isdigit() for each in word) else word for word in sentence.split())
