"""Stages that run on the host's processor after the graphs: tables of what earlier stages answered.

A kind of such a stage is a class in a file of its own, opened with an Opening; see Hosted for what it must offer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from .._clock import now_ns
from .._errors import PipelineError
from .._frame import Pixels
from ..graph import Calibration, Raw
from ._opened import StageAnswer, as_table

HOST = "host"
"""Who runs them, where graphs have their provider."""
Table = npt.NDArray[Any]


class Moment(NamedTuple):
    """Whose window comes, for stages that remember: see `Hosted.run`."""

    place: int | None = None
    number: int = 0
    reset: bool = False


ALONE = Moment()
"""A window by itself: nothing is remembered of it."""


@dataclass
class Numbers:
    """The lowest track numbers not given yet, by stage: a worker's lanes share them, so that none is given twice."""

    _next: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, stage: str) -> int:
        """The lowest number that may be given, from 1."""
        return self._next.get(stage, 1)

    def raise_to(self, numbers: Mapping[str, int]) -> None:
        """Numbers below these were given, by this worker or one before it; safe from any thread."""
        with self._lock:
            for stage, number in numbers.items():
                self._next[stage] = max(number, self.of(stage))

    @property
    def all(self) -> dict[str, int]:
        """By stage, of those that have given some."""
        return dict(self._next)


@dataclass(frozen=True)
class Opening:
    """What a stage is opened with: its message, the frames, the engine for networks of its own, and examples.

    `images` are first answers (and their axes) of the stages that give images or labels, and `tables` those of the
    others without a row; `messages` are those of the stages of the host. `provider` and `threads` are those of the
    lane, `build` is called with each graph's file before it is opened.
    """

    message: Mapping[str, Any]
    raw: Raw
    bit_depth: int
    provider: str
    threads: int | None
    images: Mapping[str, tuple[Pixels, str]]
    tables: Mapping[str, Table]
    numbers: Numbers
    messages: Mapping[str, Mapping[str, Any]]
    calibration: Calibration | None
    build: Callable[[Path], object]


class Hosted(Protocol):
    """A stage of the host. `provider` and `graph` (a sha256, or "") say who ran it, for its answers' provenance."""

    provider: str
    graph: str
    told: list[str]
    """What the user should know of the last window; whoever says it empties the list."""
    began_anew: bool
    """Whether what it remembers of a place began with the last window."""

    def empty(self) -> Table:
        """A structured array without a row: the names and dtypes of all columns, which never change."""
        ...

    def run(
        self, window: Sequence[Pixels], answers: Mapping[str, Table], place: int | None, number: int, reset: bool
    ) -> Table:
        """The rows for one window.

        `window` are its raw frames, `answers` those of earlier stages by name: images, and structured tables. `place`
        says which memory goes on (None: a window by itself), `number` counts the frames of that place, with gaps where
        some were lost or skipped, and `reset` says that the memory begins anew. Raises OnscopeError.
        """
        ...

    def forget(self, place: int | None) -> None:
        """An error came in the middle of a window: what is remembered of its place may be half a step ahead."""
        ...


class HostStages:
    """The hosted stages of a lane, by their numbers among all of its stages, in the order in which they run."""

    def __init__(self, messages: Mapping[int, Mapping[str, Any]], numbers: Numbers) -> None:
        self.began_anew = False
        """Whether a memory began anew with the last window."""
        self._messages = messages
        self._numbers = numbers
        self._stages: dict[int, Hosted] = {}
        self._empty: dict[str, Table] = {}
        self._full: set[str] = set()

    def open(
        self,
        raw: Raw,
        bit_depth: int,
        engine: tuple[str, int | None],
        images: Mapping[str, tuple[Pixels, str]],
        graphs: Sequence[StageAnswer],
        calibration: Calibration | None,
        build: Callable[[Path], object],
    ) -> dict[int, StageAnswer]:
        """What each answers. `images` are first answers of the graphs' stages, `graphs` what these answer."""
        for answer in graphs:
            if answer.columns:
                self._empty[answer.stage] = as_table(np.zeros((0, len(answer.columns)), answer.dtype), answer.columns)
        images = {name: each for name, each in images.items() if name not in self._empty}
        found: dict[int, StageAnswer] = {}
        for number, message in self._messages.items():
            opening = Opening(
                message,
                raw,
                bit_depth,
                *engine,
                images,
                dict(self._empty),
                self._numbers,
                {each["name"]: each for each in self._messages.values()},
                calibration,
                build,
            )
            stage = open_hosted(opening)
            name, empty = message["name"], stage.empty()
            self._stages[number], self._empty[name] = stage, empty
            names = empty.dtype.names or ()
            dtypes = tuple(empty.dtype[column].name for column in names)
            found[number] = StageAnswer(
                name, (message["most"],), "", "i", names, stage.provider, stage.graph, dtypes=dtypes
            )
        return found

    @property
    def described(self) -> list[dict[str, Any]]:
        """The graphs of those that run networks, as plain values."""
        return [
            {
                "stages": [self._messages[number]["name"]],
                "reads": self._messages[number]["reads"],
                "sha256": stage.graph,
                "provider": stage.provider,
                "recurrent": False,
                "tiling": None,
                "statistics": [],
            }
            for number, stage in self._stages.items()
            if stage.graph
        ]

    def run(
        self,
        chosen: Sequence[int] | None,
        window: Sequence[Pixels],
        answers: Mapping[str, Table],
        place: int | None,
        number: int,
        reset: bool,
    ) -> tuple[dict[int, Table], dict[int, tuple[int, int]], list[str]]:
        """Tables and stamps of the chosen stages, and what the user should know; `answers` are those of the graphs."""
        self.began_anew = False
        if not self._stages:
            return {}, {}, []
        known = dict(answers)
        tables: dict[int, Table] = {}
        stamps: dict[int, tuple[int, int]] = {}
        said: list[str] = []
        try:
            for at, stage in self._stages.items():
                if chosen is not None and at not in chosen:
                    continue
                start, name = now_ns(), self._messages[at]["name"]
                table = stage.run(window, known, place, number, reset)
                tables[at] = known[name] = self._cut(name, table, self._messages[at]["most"], said)
                stamps[at] = start, now_ns()
                said += [f"{name}: {words}" for words in stage.told]
                stage.told.clear()
                self.began_anew |= stage.began_anew
        except BaseException:
            for stage in self._stages.values():
                stage.forget(place)
            raise
        return tables, stamps, said

    @property
    def named(self) -> list[tuple[str, str, Hosted]]:
        """Name and kind of each stage, and the stage itself."""
        return [(self._messages[at]["name"], self._messages[at]["hosted"], each) for at, each in self._stages.items()]

    def _cut(self, name: str, table: Table, most: int, said: list[str]) -> Table:
        if len(table) <= most:
            return table
        if name not in self._full:
            self._full.add(name)
            said.append(f"{name}: {len(table)} rows in a frame, room for {most}: the others are left out (`most`)")
        return table[:most]


def open_hosted(opening: Opening) -> Hosted:
    """The stage that a message describes; raises PipelineError."""
    kind = opening.message["hosted"]
    if kind == "measure":
        from ._measure import MeasureStage

        return MeasureStage(opening)
    if kind == "track":
        from ._track import TrackStage

        return TrackStage(opening)
    if kind == "crops":
        from ._crops import CropsStage

        return CropsStage(opening)
    if kind == "pairs":
        from ._pairs import PairsStage

        return PairsStage(opening)
    raise PipelineError(f"found a stage of the kind {kind!r}, expected measure, track, crops or pairs: update onscope")
