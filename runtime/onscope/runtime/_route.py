"""A route: the way of one camera's frames of one kind, from their slots to the stages that run on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ._answers import AnswerSlots
from ._errors import OnscopeError, WorkerError
from ._frame import Frame
from ._lane import Lane, Window
from ._moments import Moments
from ._requests import spec_message
from ._selects import AnyStage
from ._stage import Stage
from .worker import ALONE, Moment

Choice = tuple[int, ...] | None


@dataclass(eq=False)
class Route:
    """A lane, the stages that its camera's frames may run through, and what the worker knows of both."""

    number: int
    lane: Lane
    stages: Sequence[AnyStage]
    answers: AnswerSlots | None = None
    outside: OnscopeError | None = None
    """Why frames of this size are not run, where that was said beforehand; there are slots for them all the same."""
    only: str = ""
    """The provider that alone runs it; empty: those of the runtime do."""
    provider: str = ""
    """What the worker has opened it on last."""
    asked_ns: int = 0
    """When the worker was asked to open it, or last told of progress; 0: not asked."""
    back: bool = False
    """Whether a worker has opened it before."""
    refusal: OnscopeError | None = None
    why_not: str = ""
    """Why frames of this lane can never be run: refused, no worker, or closed."""
    end_state: Literal["skipped", "failed"] = "failed"
    """What becomes of frames that come all the same."""
    report: tuple[str, ...] = ()
    """What was done to the packages' graphs for this lane, in lines."""
    graphs: tuple[Mapping[str, Any], ...] = ()
    """The compiled graphs that run for this lane, as the worker describes them."""
    way_graphs: Sequence[Any] = ()
    """Those of each of `ways`."""
    used: bool = False
    """Whether frames have come; one that was prepared ahead is kept until then."""
    frozen: dict[tuple[int, int | None], Mapping[str, Any]] = field(default_factory=dict)
    """Statistics that were frozen, by graph and channel: a worker that comes back goes on with them."""
    deaths: int = 0
    """Of workers that were just opening it."""
    messages: Sequence[Mapping[str, Any]] = ()
    ways: Sequence[Mapping[str, Any]] = ()
    """Cheaper ways of running it that are open beside the stages (`Level.way`)."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the worker needs to know beside the stages (`Pipeline.options`)."""
    moments: Moments | None = None
    """The places of its frames, where a stage remembers what it saw of each."""
    _choices: dict[tuple[object, ...], Choice] = field(default_factory=dict)
    takes_all: bool = False
    """Whether all stages run on every frame."""

    def __post_init__(self) -> None:
        self.messages = [stage.message() for stage in self.stages]
        self.takes_all = bool(self.stages) and not any(stage.chooses for stage in self.stages)

    def open_message(self, provider: str, threads: int | None, numbers: Mapping[str, int]) -> dict[str, Any]:
        """What the worker needs to open it; `numbers` are the lowest track numbers not given yet, by stage."""
        memory = self.lane.ring.memory
        return {
            "kind": "open",
            "lane": self.number,
            "spec": spec_message(self.lane.spec),
            "length": self.lane.length,
            "ring": {"name": memory.name, "slot_bytes": memory.slot_bytes, "slots": memory.slots},
            "stages": list(self.messages),
            "ways": list(self.ways),
            **self.options,
            "provider": self.only or provider,
            "threads": threads,
            "frozen": list(self.frozen.values()),
            "numbers": dict(numbers),
        }

    def answers_for(self, message: Mapping[str, Any], slots: int, lendable: int) -> AnswerSlots:
        """Slots for what the worker says that its stages answer, in each of `ways` too: those that are there, which
        know who answers now, or new ones. Raises WorkerError for answers that those that are there have no place for.
        """
        ways = list(zip(message.get("ways", ())[1:], (way["stages"] for way in self.ways), strict=True))
        if self.answers is None:
            return AnswerSlots(message["answers"], self.messages, slots, lendable, ways)
        if words := self.answers.no_place_for(message["answers"]):
            raise WorkerError(
                f"found {words} after the worker came back ({self}), expected what readers of the run rely on: "
                "make a new Runtime for it"
            )
        self.answers.renew(message["answers"], self.messages, ways)
        return self.answers

    def run_message(self, window: Window) -> dict[str, Any]:
        """What has the worker run a window."""
        return {
            "kind": "run",
            "window": window.number,
            "lane": self.number,
            "slots": window.slots,
            "answer": window.answer_slot,
            "stages": window.chosen,
            "state": window.state,
            "reset": window.reset,
            "channel": window.frames[-1].index.get("c"),
            "keys": window.keys,
            "moment": self.moment(window),
            "way": window.way,
            "level": window.level,
        }

    def replace(self, stage: AnyStage) -> None:
        """Have another stage of the same name in its place; the worker is told apart from it."""
        self.stages = [stage if each.name == stage.name else each for each in self.stages]
        new = stage.message()
        self.messages = [new if each["name"] == stage.name else each for each in self.messages]

    def choose(self, frame: Frame) -> Choice:
        """Numbers of the stages that run on a frame; None: all, (): none."""
        if self.takes_all or not self.stages:
            return None if self.stages else ()
        index, labels = frame.index, frame.labels
        key = (index.get("c"), index.get("p"), labels.get("c"), labels.get("p"))
        if key not in self._choices:
            taken: set[str] = {"frame"}
            chosen = []
            for number, stage in enumerate(self.stages):
                if taken.issuperset(stage.inputs) and stage.takes(frame):
                    taken.add(stage.name)
                    chosen.append(number)
            self._choices[key] = None if len(chosen) == len(self.stages) else tuple(chosen)
        return self._choices[key]

    def moment(self, window: Window) -> Moment:
        """Where the stages that remember go on with a window that is being sent, be it for the second time."""
        if self.moments is None:
            return ALONE
        window.moment = window.moment or self.moments.of(window.frames, window.target)
        return window.moment

    def keep_frozen(self, news: Iterable[Mapping[str, Any]]) -> None:
        """Remember what the worker has frozen."""
        for each in news:
            self.frozen[each["graph"], each["channel"]] = each

    @property
    def statistics(self) -> list[dict[str, Any]]:
        """What was frozen, as plain values: camera, shape and channel, and the values in raw counts by name."""
        found = []
        for each in list(self.frozen.values()):
            named = {
                name: values[0] if len(values) == 1 else list(values)
                for name, values in zip(each["statistics"], each["values"], strict=True)
                if values is not None
            }
            look = {"camera": self.lane.spec.camera, "shape": list(self.lane.spec.shape), "channel": each["channel"]}
            found.append(look | {"frozen": named})
        return found

    @property
    def described(self) -> dict[str, Any]:
        """What runs for which frames, as plain values."""
        return {
            "camera": self.lane.spec.camera,
            **spec_message(self.lane.spec),
            "calibration": self.options.get("calibration"),
            "graphs": [dict(graph) for graph in self.graphs],
            "ways": [list(graphs) for graphs in self.way_graphs],
            "report": list(self.report),
        }

    @property
    def forgotten(self) -> list[str]:
        """Stages whose statistics began anew with another worker: of them, the worker alone knew what was there."""
        kept = {name for each in self.frozen.values() for name in each["stages"]}
        return [
            stage.name
            for stage in self.stages
            if isinstance(stage, Stage)
            and (stage.normalise == "running" or (stage.normalise == "frozen" and stage.name not in kept))
        ]

    def end(self, state: Literal["skipped", "failed"], reason: str) -> None:
        """Nothing is run on this lane any more."""
        self.lane.ready = False
        self.why_not, self.end_state = reason, state
        self.lane.end_waiting(state, reason)

    def close(self) -> None:
        """Forget its slots, the answers' too."""
        self.lane.close()
        if self.answers is not None:
            self.answers.close()

    def __str__(self) -> str:
        spec = self.lane.spec
        return f"{spec.camera}: {'x'.join(map(str, spec.shape))} {spec.dtype}"
