"""Conditions as they are written become conditions at work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from ._condition_model import TOTALS, ConditionModel, counted
from ._frequent import Frequent
from ._nodes import Inside, Node, Not, Rows, Several, Total, Value
from ._objects import GONE
from ._test_model import TestModel
from ._texts import frequency
from ._threshold import Threshold

Location = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What a condition or an action reads, and where that is written: a `value` of the objects of `of` (None: of the
    frame), or with an empty name the stage's rows alone. `tracked`: only tracks of them do."""

    of: str | None
    value: str
    location: Location
    tracked: bool = False


@dataclass(slots=True)
class Compiler:
    """Of one book: keys that memories are kept under are never given twice."""

    reads: list[Read] = field(default_factory=list)
    regions: list[tuple[str, Location]] = field(default_factory=list)
    keys: Iterator[int] = field(default_factory=count)
    thresholds: dict[Location, Threshold] = field(default_factory=dict)

    def node(self, told: ConditionModel, of: str | None, at: Location) -> Node:
        """A condition on the objects of `of` (None: on the frame), written at a location."""
        parts = list(self._parts(told, of, at))
        whole = parts[0] if len(parts) == 1 else Several(parts, every=True)
        if told.in_frames is None:
            return whole
        return Frequent(whole, frequency(told.in_frames), told.lost_frames, next(self.keys))

    def _parts(self, told: ConditionModel, of: str | None, at: Location) -> Iterator[Node]:
        for name, test in told.values.items():
            tracked = test.relative_to is not None and of is not None and "." not in name
            self.reads.append(Read(of, name, (*at, name), tracked))
            yield Value(name, self.threshold(test, (*at, name)))
        for word in ("inside", "outside"):
            told_names = getattr(told, word)
            if told_names is not None:
                names = [told_names] if isinstance(told_names, str) else told_names
                self.regions += [(name, (*at, word)) for name in names]
                self.reads.append(Read(of, "inside", (*at, word)))
                yield Inside(names, word == "outside")
        for word, rows in counted(told).items():
            where = None if rows.where is None else self.node(rows.where, rows.of, (*at, word, "where"))
            column = getattr(rows, "column", None)
            self.reads.append(Read(rows.of, column or "", (*at, word)))
            yield Rows(word, rows.of, where, mentions_gone(rows.where), column, self.threshold(rows, (*at, word)))
        for word in TOTALS:
            total = getattr(told, word)
            if total is not None:
                self.reads.append(Read(total.of, "track", (*at, word), tracked=True))
                yield Total(word, total.of, self.threshold(total, (*at, word)))
        for word, inner in (("all", told.all), ("any", told.any)):
            if inner is not None:
                nodes = [self.node(one, of, (*at, word, number)) for number, one in enumerate(inner)]
                yield Several(nodes, every=word == "all")
        if told.not_ is not None:
            yield Not(self.node(told.not_, of, (*at, "not")))

    def threshold(self, test: TestModel, at: Location) -> Threshold:
        """A test with a memory of its own."""
        made = self.thresholds[at] = Threshold(test, next(self.keys))
        return made


def mentions_gone(told: ConditionModel | None) -> bool:
    """Whether a condition is also about objects that are no longer there."""
    if told is None:
        return False
    inner = [*(told.all or ()), *(told.any or ()), told.not_]
    return bool(set(told.values) & set(GONE)) or any(map(mentions_gone, inner))
