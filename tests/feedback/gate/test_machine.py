"""The gate over a whole experiment: anything in any order, restarts among it, and what always holds."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from onscope.runtime import RuleError
from onscope.runtime.feedback import Action, Burst, LimitsChange, MoveStage, Pulse, Stack, Verdict, Visit
from onscope.runtime.feedback.dose import DoseBook, Square, light_of, light_of_frame
from onscope.runtime.feedback.gate import Gate

from .hostile import Rules, is_plain
from .made import LIMITS, SETTING, S, frame, proposal
from .oracle import allowed
from .test_limited import looser

PLACES = [(100.0, 0.0), (140.0, 30.0), (-300.0, -200.0)]
LOOSE = replace(LIMITS, step_um=3000.0, actions_per_s=1e6, frames_per_s=1e6, field_j_cm2=30.0, reserve=0.1)
lighting = st.one_of(
    st.builds(Burst, st.integers(1, 20), exposure_ms=st.none() | st.floats(1, 100)),
    st.builds(Stack, st.integers(1, 20), st.just(0.5), channel=st.none() | st.just("Cy5")),
    st.builds(Visit, st.lists(st.sampled_from(PLACES), min_size=1, max_size=4).map(tuple)),
    st.builds(Pulse, st.just("shutter"), st.floats(1, 50)),
)


class Experiment(RuleBasedStateMachine):
    """`given` is a plain account: the dose that each of some points was given, square by square."""

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "doses"
        self.hostile = Rules(seed)
        self.limits = LOOSE
        self.now = S
        self.setting = SETTING
        self.points = [(x + dx, y + dy) for x, y in PLACES for dx in (-40.0, 0.0, 40.0) for dy in (-40.0, 0.0, 40.0)]
        self.given = [0.0] * len(self.points)
        self.found = list(self.given)
        self.start()

    def start(self) -> None:
        self.book = DoseBook(self.path, cell_um=5.0)
        self.gate = Gate(self.limits, None, self.book)

    def ask(self, action: Action) -> Verdict:
        self.now += S // 100
        verdict = self.gate.judge(proposal(action, self.now), action, self.setting, self.now)
        if verdict.passed:
            assert verdict.action is not None
            assert is_plain(verdict.action)
            assert allowed(verdict.action, self.limits, self.setting)
            assert self.gate.still_fresh(verdict, self.now)
            self.account(light_of(verdict.action, self.setting))
            # No point has more than the budget but for routine frames, which nobody asked for.
            budget = self.limits.field_j_cm2 * (1 - self.limits.reserve)
            lit = light_of(verdict.action, self.setting)
            assert all(
                dose <= budget * (1 + 1e-6) for dose, at in zip(self.given, self.points, strict=True) if _on(at, lit)
            )
        return verdict

    def account(self, parts: tuple[object, ...]) -> None:
        for index, at in enumerate(self.points):
            self.given[index] += sum(part.j_cm2 for part in parts if isinstance(part, Square) and _in(at, part))

    @rule(action=lighting)
    def light(self, action: Action) -> None:
        verdict = self.ask(action)
        if verdict.passed and verdict.action is not None:
            self.gate.done(verdict.action, self.setting)
        else:
            assert "J/cm2" in verdict.reason or "exposure" in verdict.reason, verdict.reason

    @rule(to=st.sampled_from(PLACES))
    def move(self, to: tuple[float, float]) -> None:
        if self.ask(MoveStage(*to)).passed:
            self.setting = replace(self.setting, x_um=to[0], y_um=to[1])

    @rule(times=st.integers(1, 10))
    def attack(self, times: int) -> None:
        for _ in range(times):
            self.ask(self.hostile.action())

    @rule(frames=st.integers(1, 20))
    def image(self, frames: int) -> None:
        for _ in range(frames):
            said = self.gate.exposed(frame(), self.setting)
            self.account(light_of_frame(frame(), self.setting))
            middle = self.book.field(self.setting.x_um or 0.0, self.setting.y_um or 0.0)
            if middle > self.limits.field_j_cm2:
                assert "J/cm2" in said
                assert self.gate.over_budget() == said

    @rule(
        change=st.builds(
            LimitsChange, x_um=st.none() | st.just((-400.0, 500.0)), field_j_cm2=st.none() | st.floats(10, 60)
        )
    )
    def tighten(self, change: LimitsChange) -> None:
        with suppress(RuleError):
            self.gate.tighten(change)
        assert not looser(self.gate.limits, self.limits)
        self.limits = self.gate.limits

    @rule()
    def restart(self) -> None:
        self.book.close()
        self.start()

    @invariant()
    def no_dose_is_forgotten(self) -> None:
        if not hasattr(self, "book"):
            return
        found = [self.book.field(*at) for at in self.points]
        for before, now, least in zip(self.found, found, self.given, strict=True):
            assert now >= before
            assert now >= least * (1 - 1e-9)
        self.found = found

    def teardown(self) -> None:
        if hasattr(self, "book"):
            self.book.close()
            self.folder.cleanup()


def _in(at: tuple[float, float], part: Square) -> bool:
    half = part.side_um / 2
    return abs(at[0] - part.x_um) < half and abs(at[1] - part.y_um) < half


def _on(at: tuple[float, float], parts: tuple[object, ...]) -> bool:
    return any(isinstance(part, Square) and _in(at, part) for part in parts)


TestExperiment = Experiment.TestCase
TestExperiment.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
