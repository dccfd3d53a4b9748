"""What the box says of a window that was run, against what was asked and what came of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...worker import Message
from ..wire import WireError, whole, whole_list
from ._opened import LARGEST_ANSWER, Opened
from ._words import (
    LARGEST_COUNT,
    MOST_NUMBERS,
    by_stage,
    cut,
    flag,
    number,
    numbers_by_stage,
    sentences,
    some,
)

MOST_SPANS = 4096


@dataclass(slots=True)
class Spans:
    """Which bytes of a slot have come, in the order of their places."""

    found: list[tuple[int, int]] = field(default_factory=list)

    def add(self, at: int, size: int) -> None:
        """Raises WireError for bytes that come out of order, or twice."""
        begin, end = self.found[-1] if self.found else (0, 0)
        if at < end or len(self.found) > MOST_SPANS:
            raise WireError(f"found a piece of an answer at {at}, expected the one after {end}")
        if at == end and self.found:
            self.found[-1] = begin, at + size
        elif size:
            self.found.append((at, at + size))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a window was sent with: numbers of the lane's stages (None: all), and which way they run."""

    chosen: Sequence[int] | None
    way: int


def checked_done(
    told: Mapping[str, Any],
    asked: Asked,
    opened: Opened,
    offsets: Sequence[int],
    came: Spans,
    stages: Collection[str],
    channels: Collection[int | None],
) -> Message:
    """What the supervisor may be told of a window, but for its stamps, which are whole numbers; raises WireError for a
    lie.

    `offsets`: where each stage's answer begins in its slot; `came`: what is there; `stages`: names of all that a lane
    runs; `channels`: those of the lane's windows so far.
    """
    chosen = range(len(opened.ways[0])) if asked.chosen is None else asked.chosen
    shapes = [whole_list({"a shape": each}, "a shape", LARGEST_ANSWER, 8) for each in _as_many(told, "shapes", chosen)]
    expected = Spans()
    for stage, shape in zip(chosen, shapes, strict=True):
        answer = opened.ways[asked.way][stage]
        if answer is None or not answer.fits(shape):
            raise WireError(f"found an answer of the shape {shape}, expected {answer and list(answer.shape)}")
        expected.add(offsets[stage], math.prod(shape) * answer.itemsize)
    if came.found != expected.found:
        raise WireError(f"found {_bytes(came)} bytes of answers, expected {_bytes(expected)} as their shapes say")
    spans = [whole_list({"stamps": each}, "stamps", 1 << 62, 2) for each in _as_many(told, "stages", chosen)]
    if not all(len(each) == 2 for each in spans):
        raise WireError("found stamps of a stage that are no two")
    numbers = by_stage(told, "numbers", stages)
    started = whole(told, "started")
    return {
        "kind": "done",
        "window": told["window"],
        "reset": flag(told, "reset"),
        "warnings": sentences(told, "warnings"),
        "frozen": [_frozen(each, opened, channels) for each in some(told.get("frozen", []), "frozen", MOST_NUMBERS)],
        "numbers": {stage: whole(numbers, stage, 0, LARGEST_COUNT) for stage in numbers},
        "parameters": numbers_by_stage(told, "parameters", stages),
        "trust": numbers_by_stage(told, "trust", stages),
        "suspect": {
            stage: [cut(each, "suspect") for each in some(names, "suspect", MOST_NUMBERS)]
            for stage, names in by_stage(told, "suspect", stages).items()
        },
        "shapes": shapes,
        "started": started,
        "stages": spans,
        "finished": whole(told, "finished", started),
    }


def _as_many(told: Mapping[str, Any], name: str, chosen: Sequence[int]) -> list[Any]:
    found = some(told.get(name), name, len(chosen))
    if len(found) != len(chosen):
        raise WireError(f"found {len(found)} {name} of a window, expected {len(chosen)}")
    return found


def _bytes(spans: Spans) -> int:
    return sum(end - at for at, end in spans.found)


def _frozen(told: Any, opened: Opened, channels: Collection[int | None]) -> Message:
    """A channel's frozen statistics, as `Scalars.frozen` says."""
    channel = told.get("channel")
    if type(channel) not in (int, type(None)) or channel not in channels:
        raise WireError(f"found frozen statistics of the channel {channel!r:.40}, expected one of the lane's windows")
    words = [cut(each, "statistics") for each in some(told.get("statistics"), "statistics", MOST_NUMBERS)]
    values = [
        None if each is None else [number(one, "frozen values") for one in some(each, "frozen values", MOST_NUMBERS)]
        for each in some(told.get("values"), "frozen values", len(words))
    ]
    if len(values) != len(words):
        raise WireError(f"found {len(values)} frozen values, expected {len(words)}")
    names = [cut(each, "stages") for each in some(told.get("stages"), "stages", MOST_NUMBERS)]
    graph = whole(told, "graph", 0, max(0, opened.graphs - 1))
    return {"graph": graph, "channel": channel, "stages": names, "statistics": words, "values": values}
