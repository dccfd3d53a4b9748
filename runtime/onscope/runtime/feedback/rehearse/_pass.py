"""One pass of rules over what they are rehearsed on: asked, aimed, judged and carried out as live, one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..._errors import ControlError, RuleError
from ..._result import Result
from .._actions import Action, Mark, Notify
from .._controller import Done, Setting
from .._proposal import Proposal, Seen, Verdict
from ..aim import STRAIGHT, AimSettings, aim
from ..gate import Gate
from ..journal import Journal
from ..rules import Needs, seen_of
from ._answers import Answers
from ._stage import Rehearsal, Shot
from ._truth import SpanBuilder, Story, TrueFrame

LATENCY_S = 0.1
"""From a frame's receipt to its result, where nothing else is told: a network of some 100 ms."""


class Rules(Protocol):
    """What is rehearsed: a RuleBook, or anything that proposes."""

    needs: Needs
    failures: list[str]

    def propose(self, seen: Seen) -> list[Proposal]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Deed:
    """What became of one proposal. `time_s` is the sample's age when its frame was taken, `truth` that of the frame;
    `done` is None where nothing was done: it was refused, not armed, or the hardware (`failed`) would not."""

    proposal: Proposal
    verdict: Verdict
    done: Done | None
    failed: str
    time_s: float
    truth: TrueFrame | None


@dataclass(slots=True, eq=False)
class Pass:
    """All that came of it. Frames are counted as `routine` and `taken` (by actions)."""

    deeds: list[Deed] = field(default_factory=list)
    routine: int = 0
    taken: int = 0
    results: int = 0
    begin_s: float = 0.0
    end_s: float = 0.0
    story: Story | None = None
    failures: dict[str, int] = field(default_factory=dict)
    """What rules could not be asked for, by the sentence, and how often."""
    ended: str = ""
    """Why it ended before its time."""


def run_pass(
    rules: Rules,
    on: Rehearsal,
    answers: Answers,
    gate: Gate,
    *,
    armed: bool = True,
    latency_s: float = LATENCY_S,
    aim_settings: AimSettings = STRAIGHT,
    journal: Journal | None = None,
    step: Callable[[float], object] = lambda sample_s: None,
) -> Pass:
    """Let the rules see frame after frame, and do what the gate lets pass, unless not `armed`.

    A frame's result is there `latency_s` after its receipt, and everything that the rules then ask for is done, one
    after the other, before the next frame is taken; frames that an action took are shown to the rules after it, unless
    the time is up. `step` is called with the sample's age after each routine frame.
    """
    done = Pass(begin_s=on.sample_s)
    spans = SpanBuilder()
    turn = _Turn(rules, on, answers, gate, armed, aim_settings, journal, done)
    while (shot := on.next()) is not None:
        begun_ns = on.now_ns
        done.routine += 1
        spent = gate.exposed(shot.frame, on.setting())
        if spent and on.acts:  # as live: no more light where the budget is spent
            on.safe()
            done.ended = spent
            break
        if shot.truth is not None:
            objects = shot.truth.objects
            seen = ((int(row["id"]), str(row["kind"]), float("nan"), float("nan")) for row in objects)
            if shot.truth.time_s > spans.now_s:
                spans.add(shot.truth.time_s, seen)
        waiting = deque([shot])
        while waiting:
            if not on.over:
                on.wait(max(0.0, latency_s - (on.now_ns - begun_ns) / 1e9))
            more: list[Shot] = []
            for each in waiting:
                more += turn.take(each)
            done.taken += len(more)
            waiting = deque([] if on.over else more)
            begun_ns = on.now_ns
        step(on.sample_s)
    done.end_s = on.sample_s
    done.story = on.story() or (Story(spans.spans()) if np.isfinite(spans.now_s) else None)
    return done


class _Turn:
    """What happens with one frame."""

    def __init__(
        self,
        rules: Rules,
        on: Rehearsal,
        answers: Answers,
        gate: Gate,
        armed: bool,
        aims: AimSettings,
        journal: Journal | None,
        done: Pass,
    ) -> None:
        self._rules, self._on, self._answers, self._gate = rules, on, answers, gate
        self._armed, self._aims, self._journal, self._done = armed, aims, journal, done

    def take(self, shot: Shot) -> list[Shot]:
        """Ask the rules and do as they say; the frames that were taken."""
        setting = self._on.setting()
        result = self._answers.result(shot)
        if result is None:
            return []
        self._done.results += 1
        found: list[Shot] = []
        seen = seen_of(result, self._done.results, self._on.now_ns, self._rules.needs)
        for proposal in self._rules.propose(seen):
            found += self._follow(proposal, shot, result, setting)
        for words in self._rules.failures:
            self._done.failures[words] = self._done.failures.get(words, 0) + 1
        return found

    def _follow(self, proposal: Proposal, shot: Shot, result: Result, setting: Setting) -> list[Shot]:
        on, journal = self._on, self._journal
        number = None if journal is None else journal.proposal(proposal)
        verdict = self._judged(proposal, shot, result, setting)
        if journal is not None and number is not None:
            journal.verdict(number, verdict, armed=self._armed)
        done, failed = None, ""
        if verdict.passed and verdict.action is not None and self._armed:
            before = on.setting()
            try:
                done = _carried(on, verdict.action)
            except ControlError as error:
                failed = str(error)
            self._gate.done(verdict.action, before)
            if journal is not None and number is not None:
                journal.failed(number, failed) if done is None else journal.done(number, done)
        at_s = on.sample_s - (on.now_ns - shot.frame.received_ns) / 1e9
        self._done.deeds.append(Deed(proposal, verdict, done, failed, at_s, shot.truth))
        return on.taken()

    def _judged(self, proposal: Proposal, shot: Shot, result: Result, setting: Setting) -> Verdict:
        try:
            action = aim(proposal, result, shot.frame, setting, self._aims)
        except RuleError as error:
            return Verdict(False, str(error), None, self._on.now_ns)
        return self._gate.judge(proposal, action, self._on.setting(), self._on.now_ns)


def _carried(on: Rehearsal, action: Action) -> Done:
    if isinstance(action, Mark | Notify):  # nobody is told of what is only rehearsed
        return Done(on.now_ns, on.now_ns)
    return on.apply(action)
