"""Windows through the graphs of a chain and the host's stages: begun, and finished in the order in which they were."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._clock import now_ns
from .._errors import OnscopeError, ProviderError
from .._frame import Pixels
from ..decode import Decoder
from ..graph import StageRequest
from ._begun import Begun
from ._group import Group
from ._hosted import HostStages, Moment
from ._opened import as_table, in_raw_pixels
from ._plan import FRAME
from ._watches import Watches


@dataclass(frozen=True, slots=True)
class Parts:
    """What is run: the graphs in their order, what the host does after them, and the stages by their numbers."""

    groups: Sequence[Group]
    host: HostStages
    watches: Watches
    names: Mapping[int, str]
    requests: Mapping[int, StageRequest]
    """Of the stages that are networks."""
    columns: Mapping[int, tuple[str, ...]]
    per_raw: Mapping[int, tuple[float, float]]
    """Pixels of the image that a table's stage reads per pixel of the frame, where it reads no frame."""


@dataclass(slots=True, eq=False)
class UnderWay:
    """A window that was begun: what is known of it, and the graphs that work on it, by their places in the order."""

    window: Sequence[Pixels]
    chosen: Sequence[int] | None
    place: int | None
    reset: bool
    channel: int | None
    keys: Sequence[int] | None
    parameters: Mapping[str, Mapping[str, float]] | None
    moment: Moment
    begun: dict[int, tuple[int, Begun]] = field(default_factory=dict)
    frozen: list[dict[str, Any]] = field(default_factory=list)
    """Statistics that were frozen when it was begun."""

    @property
    def came(self) -> bool:
        """Whether it can be finished; also where that cannot be known without waiting for it."""
        return all(getattr(each.pending, "came", True) for _, each in self.begun.values())


class Runs:
    """Runs windows; what came of the last one that was finished is told by its attributes."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.began_anew = False
        self.parameters: dict[str, Mapping[str, float]] = {}
        self.frozen: list[dict[str, Any]] = []
        """Statistics that were frozen with windows finished since the last look."""
        self.warnings: list[str] = []
        self.depth = max((group.depth for group in parts.groups if group.reads == FRAME), default=1)
        """How many windows may be under way at once."""
        self._under_way: deque[UnderWay] = deque()
        self._ran_again = False
        self._heard: set[int] = set()
        self._numbers = {name: number for number, name in parts.names.items()}

    @property
    def room(self) -> bool:
        """Whether another window may be begun now."""
        # Who runs a graph again uses up one of its arrays for answers, which a window under way counts on.
        return not self._under_way or (len(self._under_way) < self.depth and not self._ran_again)

    def begin(self, one: UnderWay) -> UnderWay:
        """Begin with a window as far as its graphs work elsewhere; whoever calls this looks for `room` before."""
        try:
            self._begin(one)
        except BaseException:
            self._give_up(one)
            self._forget(one.place)
            raise
        one.frozen = self._newly_frozen()
        self._under_way.append(one)
        return one

    def _begin(self, one: UnderWay) -> None:
        for at, group in enumerate(self.parts.groups):
            if group.depth > 1 and group.reads == FRAME and self._is_wanted(group, one.chosen):
                more = one.place, one.reset, one.channel, one.keys, one.parameters
                one.begun[at] = now_ns(), group.begin(one.window, *more)

    def _begin_again(self, one: UnderWay) -> None:
        """With the memory as it is now, and the statistics that were taken of it."""
        for at, (_, before) in one.begun.items():
            again = self.parts.groups[at].begin_again(before, one.window, one.place, one.reset, one.keys)
            one.begun[at] = now_ns(), again

    def finish(self, one: UnderWay) -> tuple[list[Pixels], list[tuple[int, int]]]:
        """Answers and (start, end) stamps of the chosen stages, for the window that was begun first of all."""
        if self._under_way.popleft() is not one:
            raise ValueError("found a window that is not the next one, expected them in the order in which they began")
        self.began_anew, self._ran_again = False, self._ran_again and bool(self._under_way)
        self.parameters = {}
        answers: dict[int, Pixels] = {}
        stamps: dict[int, tuple[int, int]] = {}
        try:
            for at, group in enumerate(self.parts.groups):
                if self._is_wanted(group, one.chosen):
                    self._finish(at, group, one, answers, stamps)
            self._finish_host(one, answers, stamps)
        except BaseException:
            self._give_up(one)
            self._forget(one.place)
            raise
        self.frozen += [*one.frozen, *self._newly_frozen()]
        wanted = range(len(self.parts.names)) if one.chosen is None else one.chosen
        return [answers[number] for number in wanted], [stamps[number] for number in wanted]

    def _is_wanted(self, group: Group, chosen: Sequence[int] | None) -> bool:
        return chosen is None or any(number in chosen for number in group.decoders)

    def _finish(
        self,
        at: int,
        group: Group,
        one: UnderWay,
        answers: dict[int, Pixels],
        stamps: dict[int, tuple[int, int]],
    ) -> None:
        """One graph's answers for a window."""
        start, begun = one.begun.pop(at, (now_ns(), None))
        if begun is not None:
            outputs = group.finish(begun)
        else:
            window, keys = one.window, one.keys
            if group.reads != FRAME:
                window, keys = [np.ascontiguousarray(answers[self._numbers[group.reads]])], None
            outputs = group.run(window, one.place, one.reset, one.channel, keys, one.parameters)
        for number, output in outputs.items():
            refuse_nan(self.parts.names[number], output)
            decode = group.decoders[number]
            answer, _ = decode(output)
            answers[number] = in_raw_pixels(answer, decode.columns, self.parts.per_raw.get(number, (1.0, 1.0)))
            self._hear(number, decode)
        stamps |= dict.fromkeys(group.decoders, (start, now_ns()))
        self.began_anew |= group.began_anew
        self.parameters |= group.parameters if one.parameters is None else one.parameters

    def _finish_host(self, one: UnderWay, answers: dict[int, Pixels], stamps: dict[int, tuple[int, int]]) -> None:
        """What is looked at, and the host's stages."""
        parts = self.parts
        self._ran_again |= parts.watches.look(one.window, answers)
        named = {parts.names[number]: self._as_given(number, answer) for number, answer in answers.items()}
        tables, spans, said = parts.host.run(one.chosen, one.window, named, *one.moment)
        answers |= tables
        stamps |= spans
        self.warnings += said
        self.began_anew |= parts.host.began_anew

    def _forget(self, place: int | None) -> None:
        """A window failed: the memory of its place begins anew, also for windows that were begun with what it left."""
        for group in self.parts.groups:
            group.states.forget(place)
        if not any(group.compiled.states for group in self.parts.groups):
            return
        spoiled = [later for later in self._under_way if later.place == place]
        for later in spoiled:
            self._wait(later)
        for later in spoiled:
            try:
                self._begin_again(later)
            except OnscopeError:  # raised again when it is finished
                later.begun.clear()

    def _give_up(self, one: UnderWay) -> None:
        """What was begun of a window is of no use."""
        self._wait(one)
        one.begun.clear()

    def _wait(self, one: UnderWay) -> None:
        for at, (_, begun) in one.begun.items():
            with contextlib.suppress(OnscopeError):
                self.parts.groups[at].finish(begun)

    def _newly_frozen(self) -> list[dict[str, Any]]:
        return [{"graph": at, **each} for at, group in enumerate(self.parts.groups) for each in group.scalars.frozen()]

    def _as_given(self, number: int, answer: Pixels) -> Pixels:
        """An answer as hosted stages read it."""
        columns = self.parts.columns[number]
        return as_table(answer, columns) if columns else answer

    def _hear(self, number: int, decode: Decoder) -> None:
        """What a decoder tells for the first time."""
        if decode.told and number not in self._heard:
            self._heard.add(number)
            self.warnings += [f"{self.parts.names[number]}: {words}" for words in decode.told]
        decode.told.clear()


def refuse_nan(stage: str, output: Pixels) -> None:
    """Raise ProviderError for an output of a network that holds NaN, or infinities of both signs."""
    # The largest value is NaN if any value is, and takes a third of the time of a sum. Infinities of both signs are
    # no better. Looked at before decoding, which may cut NaN off as if it were a low score.
    if output.dtype.kind != "f" or not output.size:
        return
    largest = output.max()
    if np.isnan(largest) or (largest == np.inf and output.min() == -np.inf):
        raise ProviderError(f"the stage {stage!r} answered NaN: its input holds NaN, or the network overflows on it")
