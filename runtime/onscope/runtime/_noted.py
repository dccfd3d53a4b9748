"""The events and replacements of a run that its recording's manifest has room for."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

MOST = 1000
"""Events that are kept; of more, how many were left out."""
CHANGES = frozenset(("view", "tuned", "swapped"))
"""Kinds of events that people make, as many as they like: each has room of its own, so that others keep theirs."""
MOST_CHANGES = 200
"""Of each such kind: the first half of them, and the last."""
MOST_SWAPS = 200


class Events:
    """Events as plain values, in the order of their times."""

    def __init__(self) -> None:
        self._others: list[dict[str, Any]] = []
        self._first: dict[str, list[dict[str, Any]]] = {kind: [] for kind in CHANGES}
        self._last: dict[str, deque[dict[str, Any]]] = {kind: deque(maxlen=MOST_CHANGES // 2) for kind in CHANGES}
        self._left_out: Counter[str] = Counter()

    def add(self, event: dict[str, Any]) -> None:
        kind = event["kind"]
        if kind not in CHANGES:
            if len(self._others) < MOST:
                self._others.append(event)
            else:
                self._left_out[kind] += 1
        elif len(self._first[kind]) < MOST_CHANGES // 2:
            self._first[kind].append(event)
        else:
            last = self._last[kind]
            self._left_out[kind] += len(last) == last.maxlen
            last.append(event)

    @property
    def facts(self) -> dict[str, Any]:
        """By name in the manifest."""
        changes = [event for kind in CHANGES for event in (*self._first[kind], *self._last[kind])]
        kept = sorted([*self._others, *changes], key=itemgetter("at_ns"))
        left_out = {kind: count for kind, count in sorted(self._left_out.items()) if count}
        facts: dict[str, Any] = {"events": kept} if kept else {}
        if left_out:
            facts |= {"events_left_out": sum(left_out.values()), "events_left_out_of": left_out}
        return facts


class Lanes:
    """What ran on frames of each look: at first, and since each replacement of a package."""

    def __init__(self) -> None:
        self._lanes: dict[int, dict[str, Any]] = {}
        self._swaps: list[dict[str, Any]] = []
        self._since: dict[int, dict[str, Any]] = {}
        """Of the last replacement."""
        self._known: set[str] = set()
        self._left_out: dict[str, int] = {}

    def lane(self, number: int, lane: dict[str, Any]) -> None:
        """The worker opened the pipeline for frames of one look, or opened it again."""
        if not self._swaps or number not in self._lanes:
            self._lanes[number] = _after(self._lanes.get(number), lane)
        if self._swaps and not self._left_out:
            self._since[number] = lane
            self._swaps[-1]["lanes"] = [self._since[each] for each in sorted(self._since)]

    def swap(self, swap: Mapping[str, Any]) -> None:
        """A stage's package was replaced: lanes are told again. A package is described once."""
        if len(self._swaps) == MOST_SWAPS:
            self._left_out.setdefault("since_ns", swap["at_ns"])
            self._left_out["count"] = self._left_out.get("count", 0) + 1
            return
        packages = {name: each for name, each in swap["packages"].items() if name not in self._known}
        self._known |= packages.keys()
        self._since = {}
        self._swaps.append({**swap, "packages": packages, "lanes": []})

    @property
    def facts(self) -> dict[str, Any]:
        """By name in the manifest."""
        facts: dict[str, Any] = {}
        if self._lanes:
            facts["lanes"] = [self._lanes[number] for number in sorted(self._lanes)]
        if self._swaps:
            facts["swaps"] = list(self._swaps)
        if self._left_out:
            facts["swaps_left_out"] = dict(self._left_out)
        return facts


def _after(before: dict[str, Any] | None, lane: dict[str, Any]) -> dict[str, Any]:
    """A lane that was opened again; where another provider runs it now, `graphs_before` are what ran at first."""
    if before is None:
        return lane
    earlier = before.get("graphs_before", [])
    if [graph["provider"] for graph in before["graphs"]] != [graph["provider"] for graph in lane["graphs"]]:
        earlier = [*earlier, *before["graphs"]]
    return {**lane, "graphs_before": earlier} if earlier else lane
