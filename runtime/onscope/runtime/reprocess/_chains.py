"""A worker process's open chains: made once, kept from task to task, and what they remember of the lines they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy.typing as npt

from .._errors import ProviderError
from ..worker import Numbers, Ways, graphs_of, open_ways
from ._memory import take_all, take_place, told_of_all, told_of_place
from ._store import Store

MOST_SCOPES = 8
"""Lines with chains of their own that a worker keeps open; of more, the one that was used longest ago is closed."""


def silent(text: str, **more: str) -> None:
    """Nobody watches a worker open its graphs."""


def described(message: Mapping[str, Any]) -> dict[str, Any]:
    """What opening a look of frames gives on this machine, as plain values; its provider is chosen here.

    Raises PackageError, PipelineError or ProviderError.
    """
    chosen = open_ways(dict(message), silent, Numbers())
    try:
        chain = chosen.ways.now
        return {
            "provider": chosen.provider,
            "answers": [asdict(answer) for answer in chain.opened],
            "graphs": graphs_of(chain),
            "report": [*filter(None, [chosen.why]), *chain.report],
            "warnings": [*chosen.told, *chain.warned()],
        }
    finally:
        chosen.ways.close()


@dataclass
class Scope:
    """Chains that go on together, by look of frames; `at` says after which chunk each line is."""

    numbers: Numbers = field(default_factory=Numbers)
    ways: dict[int, Ways] = field(default_factory=dict)
    at: dict[Any, str] = field(default_factory=dict)

    def close(self) -> None:
        for each in self.ways.values():
            each.close()
        self.ways.clear()
        self.at.clear()


class Chains:
    """The chains of one worker for one reprocessing; `kind` is that of its Lines, `counts` whether statistics go on
    from window to window too. Used by one thread at a time."""

    def __init__(self, store: Store, kind: str, *, counts: bool) -> None:
        self._store, self._kind, self._counts = store, kind, counts
        self._scopes: dict[str, Scope] = {}

    def ready(self, chunk: Mapping[str, Any], again: Callable[[Mapping[str, Any]], object]) -> Ways:
        """The chain for a chunk, which remembers what it must; `again` runs an earlier chunk once more for it."""
        lane, line, previous = chunk["lane"], chunk["line"], chunk["previous"]
        scope = self._scope("" if self._kind in ("alone", "place") else line)
        if self._kind == "alone" or (self._kind == "place" and not previous):
            return self._ways(scope, lane)
        if scope.at.get(self._line(chunk), "") != previous:
            if self._kind != "place":
                scope.close()
                scope.numbers = Numbers()
            self._restore(scope, chunk, again)
        return self._ways(scope, lane)

    def ran(self, chunk: Mapping[str, Any]) -> None:
        """A chunk was computed: its line is after it now."""
        if self._kind != "alone":
            scope = self._scope("" if self._kind == "place" else chunk["line"])
            scope.at[self._line(chunk)] = chunk["key"]

    def keep(self, chunk: Mapping[str, Any]) -> None:
        """Put down what is remembered after a chunk, where that can be; else it is computed again after a death."""
        if self._kind == "place":
            chain = self._ways(self._scope(""), chunk["lane"]).now
            self._store.keep_state(chunk["key"], *told_of_place(chain, chunk["windows"][-1]["state"]))
        elif self._kind == "all" and not self._counts:
            scope = self._scope(chunk["line"])
            if (known := told_of_all(scope.ways, scope.numbers)) is not None:
                self._store.keep_state(chunk["key"], *known)

    def _restore(self, scope: Scope, chunk: Mapping[str, Any], again: Callable[[Mapping[str, Any]], object]) -> None:
        before: list[Mapping[str, Any]] = []
        key = chunk["previous"]
        while key:
            kept = self._store.state(key)
            if kept is not None:
                self._take(scope, chunk, *kept)
                scope.at[self._line(chunk)] = key
                break
            told, _ = self._store.read(key)
            before.append(told["message"])
            key = told["message"]["previous"]
        for message in reversed(before):
            again(message)

    def _take(
        self,
        scope: Scope,
        chunk: Mapping[str, Any],
        told: Mapping[str, Any],
        arrays: Mapping[str, npt.NDArray[Any]],
    ) -> None:
        if self._kind == "place":
            take_place(self._ways(scope, chunk["lane"]).now, chunk["windows"][0]["state"], told, arrays)
            return
        for lane in told["lanes"]:
            self._ways(scope, int(lane))
        take_all(scope.ways, scope.numbers, told, arrays)

    def _line(self, chunk: Mapping[str, Any]) -> Any:
        # A memory's number is given to another place when there are more places than memories.
        return (chunk["lane"], chunk["windows"][0]["state"]) if self._kind == "place" else chunk["line"]

    def _scope(self, name: str) -> Scope:
        scope = self._scopes.pop(name, None) or Scope()
        self._scopes[name] = scope
        if len(self._scopes) > MOST_SCOPES:
            self._scopes.pop(next(iter(self._scopes))).close()
        return scope

    def _ways(self, scope: Scope, lane: int) -> Ways:
        ways = scope.ways.get(lane)
        if ways is None:
            told = self._store.told(f"lane-{lane}")
            ways = scope.ways[lane] = Ways(told["message"], silent, scope.numbers)
            _check(graphs_of(ways.now), told["graphs"])
        return ways

    def close(self) -> None:
        """Give back what engines have taken."""
        for scope in self._scopes.values():
            scope.close()
        self._scopes.clear()


def _check(found: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> None:
    """Workers must run the same graphs on the same engine, or answers would differ from chunk to chunk."""
    for mine, theirs in zip(found, expected, strict=True):
        for name in ("provider", "sha256"):
            if mine[name] != theirs[name]:
                raise ProviderError(
                    f"found the {name} {mine[name]} of {'+'.join(mine['stages'])} in a worker, expected {theirs[name]} "
                    "as in the first one: have the same software and hardware in all workers"
                )
