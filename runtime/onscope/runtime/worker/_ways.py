"""The ways of running a lane that are open beside the pipeline's own: cheaper ones, for when time is short."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._errors import PipelineError
from .._frame import Pixels
from ._chain import Chain
from ._hosted import Moment, Numbers
from ._opened import StageAnswer
from ._region import Regional
from ._runs import UnderWay

LEVEL = "budget level"
"""Among the parameters of each answer: the level of the budget that it was made at."""


def open_way(message: Mapping[str, Any], way: Mapping[str, Any], **more: Any) -> Regional:
    """The chain of a way (`Level.way`) of a lane that `message` opens. Raises what a Chain raises, or PipelineError."""
    region = way["region"]
    spec = message["spec"]
    part = spec if region is None else {**spec, "shape": [*region[2:], *spec["shape"][2:]]}
    asked = {**message, "stages": way["stages"], "spec": part, "region": region, "frozen": []}
    return Regional(Chain(asked, **more), spec, region)


class Ways:
    """Way 0 is the lane's own chain; the others are `ways` of its message. Stages go by their numbers in way 0."""

    def __init__(self, message: Mapping[str, Any], progress: Callable[[str], object], numbers: Numbers) -> None:
        own = Chain(message, progress, numbers=numbers)
        self.all = [Regional(own, message["spec"], None)]
        for number, way in enumerate(message.get("ways", ()), 1):

            def said(text: str, number: int = number) -> object:
                return progress(f"way {number}: {text}")

            self.all.append(open_way(message, way, progress=said, numbers=numbers))
        self._own = [answer.stage for answer in own.opened]
        self._numbers = [{answer.stage: n for n, answer in enumerate(each.opened)} for each in self.all]
        self._messages = [message["stages"], *(way["stages"] for way in message.get("ways", ()))]
        self._check()
        self.now = own
        """The chain that ran last."""

    def _check(self) -> None:
        """Readers of the run rely on what the pipeline itself answers."""
        first, *others = self.answers()
        for way in others:
            for own, found in zip(first, way, strict=True):
                if own is not None and found is not None and (words := _unlike(own, found)):
                    raise PipelineError(
                        f"found a step to degrade by with which {own.stage!r} answers with {words}, expected what the "
                        "pipeline itself answers: leave the step out, or correct it"
                    )

    def expected(self, way: int, stage: int) -> StageAnswer:
        """What a stage answers."""
        return self.all[way].opened[self._numbers[way][self._own[stage]]]

    def answers(self) -> list[list[StageAnswer | None]]:
        """What each stage answers by way; None where it is left out."""
        return [
            [way.opened[numbers[name]] if name in numbers else None for name in self._own]
            for way, numbers in zip(self.all, self._numbers, strict=True)
        ]

    @property
    def depth(self) -> int:
        """How many windows may be under way at once."""
        return max(way.chain.depth for way in self.all)

    @property
    def far(self) -> bool:
        """Whether windows take their time on a way, and not on this machine."""
        return any(group.far for way in self.all for group in way.chain.groups)

    def hear(self, wake: Callable[[], object]) -> None:
        """Have `wake` called, from any thread, when a window is back from a server."""
        for way in self.all:
            for group in way.chain.groups:
                group.hear(wake)

    def lie_in(self, memory: Pixels, segment: str) -> None:
        """The frames of windows will lie in this memory (uint8), the shared segment of that name: engines may copy
        straight from there."""
        for way in self.all:
            way.lie_in(memory, segment)

    def room(self, way: int) -> bool:
        """Whether another window of a way may be begun now."""
        return self.all[way].chain.room

    def begin(
        self, way: int, window: Sequence[Pixels], chosen: Sequence[int] | None, *more: Any, moment: Moment
    ) -> UnderWay:
        """As `Chain.begin`."""
        own = None if chosen is None else [self._numbers[way][self._own[number]] for number in chosen]
        return self.all[way].begin(window, own, *more, moment=moment)

    def finish(self, way: int, one: UnderWay) -> tuple[list[Pixels], list[tuple[int, int]]]:
        """As `Chain.finish`."""
        self.now = self.all[way].chain
        answers, stamps = self.all[way].finish(one)
        return answers, stamps

    def parameters(self, level: int | None) -> Mapping[str, Mapping[str, float]]:
        """Those of the last window; with the level of the budget, where there is one."""
        told = self.now.parameters
        if level is None:
            return told
        names = [answer.stage for answer in self.now.opened]
        return {**told, **{name: {**told.get(name, {}), LEVEL: float(level)} for name in names}}

    def close(self) -> None:
        """Give back what engines have taken; nothing is run any more."""
        for way in self.all:
            for group in way.chain.groups:
                group.close()

    def tune(self, message: Mapping[str, Any]) -> None:
        """Tune a stage, in all ways that run the same package for it."""
        packages = [
            {stage["name"]: (stage["package_sha256"], stage["precision"]) for stage in stages}
            for stages in self._messages
        ]
        own = packages[0].get(message["stage"])
        for way, known in zip(self.all, packages, strict=True):
            if known.get(message["stage"]) == own:
                way.chain.tune(message)


def _unlike(own: StageAnswer, found: StageAnswer) -> str:
    for name in ("axes", "dtype", "columns", "dtypes"):
        if getattr(own, name) != getattr(found, name):
            return f"{name} {getattr(found, name)} instead of {getattr(own, name)}"
    if not own.columns and own.shape != found.shape:
        return f"{found.shape} pixels instead of {own.shape}"
    return ""
