"""Scalars that are made of one statistic, and its means over windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._types import Normalise, Raw, Scalar, Statistic

Numbers = npt.NDArray[np.float64]
EVERY = 4
"""A running mean that has begun looks at every fourth window: a look costs as much as the rest of the host's work."""


@dataclass(eq=False)
class Group:
    """The scalars that are made of one statistic in one way; `outputs` are (place, gain, offset, part, shape)."""

    frames: tuple[int, ...]
    per: str
    statistic: Statistic
    normalise: Normalise
    first: int
    scalars: list[int] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    outputs: dict[tuple[float, float], list[tuple[int, str, tuple[int, ...]]]] = field(default_factory=dict)
    size: int = 1
    mean: Mean | None = None

    @property
    def hot(self) -> set[tuple[str, str]]:
        return {(stage, "hot pixels") for stage in self.stages}

    @property
    def names(self) -> list[str]:
        """What each of its numbers is called: "percentile 99.8", "mean [1]" (of the second sample or frame) ..."""
        statistic = self.statistic
        words: str = statistic.kind
        if statistic.kind == "percentile":
            words += f" {statistic.percentile:g}" + (" (inverted cdf)" if statistic.method != "linear" else "")
        words += "" if len(self.frames) == 1 else f" of frames {', '.join(map(str, self.frames))}"
        return [words] if not self.per else [f"{words} [{number}]" for number in range(self.size)]

    def give(self, numbers: Numbers, answers: list[Any]) -> None:
        """Put what the graph takes of the numbers where it belongs."""
        for (gain, offset), places in self.outputs.items():
            exact = numbers * gain + offset
            near = exact.astype(np.float32)
            for at, part, shape in places:
                made = near if part == "value" else (exact - near).astype(np.float32)
                answers[at] = made.reshape(shape)


def groups_of(scalars: Sequence[Scalar], raw: Raw) -> list[Group]:
    found: dict[Any, Group] = {}
    for at, scalar in enumerate(scalars):
        frames = tuple(each % raw.length for each in scalar.frames)
        statistic = replace(scalar.statistic, part="value", keeps=())
        key = frames, scalar.per, statistic, scalar.normalise, scalar.frozen_frames
        group = found.setdefault(key, Group(*key[:4], max(1, scalar.frozen_frames)))
        group.scalars.append(at)
        group.size = int(np.prod(scalar.shape))
        if scalar.stage not in group.stages:
            group.stages.append(scalar.stage)
        shift = scalar.gain, 0.0 if statistic.kind == "std" else scalar.offset
        group.outputs.setdefault(shift, []).append((at, scalar.statistic.part, scalar.shape))
    return list(found.values())


@dataclass
class Mean:
    """Mean over the first `first` windows; after them the same for ever, or (`running`) an exponential one."""

    first: int
    running: bool
    seen: int = 0
    numbers: Numbers = field(default_factory=lambda: np.zeros(0))

    @property
    def final(self) -> bool:
        return not self.running and self.seen >= self.first

    def next(self) -> bool:
        """Count one window more; whether it is to be looked at, and `update` called."""
        if self.final:
            return False
        self.seen += 1
        return self.seen <= self.first or (self.seen - self.first) % EVERY == 1

    def update(self, numbers: Numbers) -> None:
        if not self.numbers.size:
            self.numbers = numbers
            return
        weight = 1 / self.seen if self.seen <= self.first else 1 - (1 - 1 / self.first) ** EVERY
        self.numbers = self.numbers + (numbers - self.numbers) * weight
