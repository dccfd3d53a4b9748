"""Which layers must stay in float: found by measuring, not by rule.

The network is reduced wholly. Where that is too far off, each layer (of large networks: each group of neighbours) is
reduced alone; what is furthest off for the time that it saves stays in float first, and bisection finds how many of
them must. At last each of those is tried once more in fewer bits beside the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ._judge import Measured
from ._zone import Layer

if TYPE_CHECKING:
    from onnx import ModelProto

MOST_GROUPS = 16
"""Parts of a network that are tried one at a time."""
Tell = Callable[[str, int, int], object]
"""What is done, how many of how many; called as each begins."""
Answers = tuple[Measured, ...]
Make = Callable[[frozenset[str]], "ModelProto"]
Measure = Callable[["ModelProto"], Answers]


@dataclass(frozen=True, slots=True)
class Found:
    """The best variant: which layers stayed in float, how far off it is, and what was seen on the way.

    `wholly` is the network with all layers reduced; `alone` the error over its limit (the worst output's) of each group
    of layers reduced by itself, as far as there was time.
    """

    model: ModelProto
    kept: frozenset[str]
    measured: Answers
    wholly: Answers
    alone: tuple[tuple[tuple[str, ...], float], ...]
    trials: int

    @property
    def passed(self) -> bool:
        return all(each.passed for each in self.measured)


class Search:
    """Reduces layers by `make` (names of those to keep in float -> model) and looks at the answers by `measure`.

    After `limit_s` seconds no further layer is tried alone or once more; those that were not until then count as
    sensitive. Models are made again where they are needed: one of them alone is in memory at a time.
    """

    def __init__(
        self, make: Make, measure: Callable[[ModelProto], Answers], tell: Tell, limit_s: float = 300.0
    ) -> None:
        self._make, self._measure, self._tell = make, measure, tell
        self._ends = time.monotonic() + limit_s
        self._tried: dict[frozenset[str], Answers] = {}

    def run(self, layers: Sequence[Layer]) -> Found:
        """The variant with as few layers in float as its limits allow; one that fails, where none passes."""
        self._tell("reducing all layers", 0, 1)
        wholly = self._try(frozenset())
        self._tell("reducing all layers", 1, 1)
        if _good(wholly):
            return self._found(frozenset(), wholly, ())
        groups = _groups(layers)
        alone = self._alone(layers, groups)
        order = sorted(
            range(len(groups)), key=lambda number: alone.get(number, np.inf) ** 2 / _cost(groups[number]), reverse=True
        )
        kept = self._release(groups, order[: self._bisect(groups, order)])
        told = tuple((_names(groups[number]), error) for number, error in sorted(alone.items()))
        return self._found(kept, wholly, told)

    def _found(self, kept: frozenset[str], wholly: Answers, alone: tuple[tuple[tuple[str, ...], float], ...]) -> Found:
        return Found(self._make(kept), kept, self._tried[kept], wholly, alone, len(self._tried))

    def _try(self, kept: frozenset[str]) -> Answers:
        if kept not in self._tried:
            self._tried[kept] = self._measure(self._make(kept))
        return self._tried[kept]

    def _alone(self, layers: Sequence[Layer], groups: Sequence[Sequence[Layer]]) -> dict[int, float]:
        every, found = frozenset(_names(layers)), {}
        for number, group in enumerate(groups):
            if self._late:
                break
            self._tell("reducing layers one at a time", number, len(groups))
            if len(groups) > 1:
                found[number] = _badness(self._try(every - frozenset(_names(group))))
        self._tell("reducing layers one at a time", len(groups), len(groups))
        return found

    def _bisect(self, groups: Sequence[Sequence[Layer]], order: Sequence[int]) -> int:
        """How many of the groups, in that order, must stay in float; at least one is reduced whatever comes of it."""
        low, high = 0, len(groups)
        steps = max(1, int(np.ceil(np.log2(max(2, high)))))
        done = 0
        while high - low > 1:
            self._tell("finding how many stay in float", min(done, steps - 1), steps)
            middle = (low + high) // 2
            kept = frozenset(name for number in order[:middle] for name in _names(groups[number]))
            low, high = (low, middle) if _good(self._try(kept)) else (middle, high)
            done += 1
        self._tell("finding how many stay in float", steps, steps)
        return high if high < len(groups) else len(groups) - 1

    def _release(self, groups: Sequence[Sequence[Layer]], kept: Sequence[int]) -> frozenset[str]:
        """Reduce those once more, one after the other, that the others in float have made harmless."""
        names = frozenset(name for number in kept for name in _names(groups[number]))
        if not _good(self._try(names)):
            return min(self._tried, key=lambda tried: _badness(self._tried[tried]))
        for count, number in enumerate(sorted(kept, key=lambda one: -_cost(groups[one]))):
            if self._late:
                break
            self._tell("trying kept layers once more", count, len(kept))
            fewer = names - frozenset(_names(groups[number]))
            if _good(self._try(fewer)):
                names = fewer
        self._tell("trying kept layers once more", len(kept), len(kept))
        return names

    @property
    def _late(self) -> bool:
        return time.monotonic() > self._ends


def _groups(layers: Sequence[Layer]) -> list[list[Layer]]:
    """At most MOST_GROUPS of neighbouring layers."""
    size = -(-len(layers) // MOST_GROUPS)
    return [list(layers[start : start + size]) for start in range(0, len(layers), size)]


def _names(layers: Sequence[Layer]) -> tuple[str, ...]:
    return tuple(layer.name for layer in layers)


def _cost(layers: Sequence[Layer]) -> float:
    return float(sum(layer.cost for layer in layers) or 1)


def _good(measured: Answers) -> bool:
    return all(each.passed for each in measured)


def _badness(measured: Answers) -> float:
    """The worst output's error over its limit; NaN is the worst there is."""
    found = [each.error / each.limit + each.fine for each in measured]
    return float(np.nan_to_num(max(found, key=lambda one: np.nan_to_num(one, nan=np.inf)), nan=1e9, posinf=1e9))
