"""Rates over the last second, whatever the order of times."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onscope.runtime.feedback import Burst, Mark, MoveStage, Pause, Stop

from .made import LIMITS, SETTING, S, gate, proposal
from .oracle import frames_at

MOVE = MoveStage(150.0, 0.0)
LATE = replace(LIMITS, stale_ms=1e12)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 600_000_000), max_size=80), st.sampled_from([0.0, 0.4, 1.0, 3.0, 7.5]))
def test_no_second_sees_more_actions(gaps: list[int], per_s: float) -> None:
    made = gate(replace(LATE, actions_per_s=per_s))
    now = 0
    passed: list[int] = []
    window = S if per_s >= 1 else int(S / (per_s or 1))
    most = int(per_s * window / S + 1e-9)
    for gap in gaps:
        now += gap
        free = sum(at > now - window for at in passed) < most
        assert made.judge(proposal(MOVE), MOVE, SETTING, now).passed == free
        passed += [now] * free


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(0, 900_000_000), st.integers(1, 50), st.sampled_from([0.0, 50.0, 400.0])), max_size=60
    )
)
def test_no_second_sees_more_frames(asked: list[tuple[int, int, float]]) -> None:
    made = gate(replace(LATE, actions_per_s=1e6, frames_per_s=40.0))
    now = passed = 0
    frames: list[int] = []
    for gap, count, interval in asked:
        now += gap
        action = Burst(count, interval)
        if made.judge(proposal(action), action, SETTING, now).passed:
            passed += 1
            frames += frames_at(action, SETTING, now)
    assert passed or not asked or asked[0][1] > 40
    assert all(sum(at - S < other <= at for other in frames) <= 40 for at in frames)


def test_a_clock_that_goes_back_frees_nothing() -> None:
    made = gate(replace(LATE, actions_per_s=2.0))
    for now, passes in (
        (10 * S, True),
        (11 * S - 1, True),
        (9 * S, False),
        (0, False),
        (11 * S, True),
        (11 * S, False),
    ):
        assert made.judge(proposal(MOVE), MOVE, SETTING, now).passed == passes


def test_frames_count_from_the_latest_time_that_was_told() -> None:
    made = gate(replace(LATE, actions_per_s=1e6, frames_per_s=10.0))
    mark = Mark("seen")
    assert made.judge(proposal(mark), mark, SETTING, 10 * S).passed
    for action, now, passes in ((Burst(10), 9 * S, True), (Burst(1), 11 * S, False), (Burst(1), 12 * S, True)):
        assert made.judge(proposal(action), action, SETTING, now).passed == passes


def test_what_calms_the_microscope_is_never_too_often() -> None:
    made = gate(replace(LATE, actions_per_s=1.0))
    assert made.judge(proposal(MOVE), MOVE, SETTING, 0).passed
    for action in (Pause(), Stop("enough"), Pause(1.0)):
        assert made.judge(proposal(action), action, SETTING, 0).passed
    mark = Mark("seen")
    assert not made.judge(proposal(mark), mark, SETTING, 0).passed
