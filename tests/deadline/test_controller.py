"""The controller over simulated loads: it degrades in time, comes back, and never swings."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime.budget import Controller, Seen, Terms
from tests.deadline.simulated import Came, simulate

BUDGET = 40.0
PLAIN = Terms(BUDGET, (1, 1, 2, 0))
COSTS = (12.0, 6.0, 6.0, 6.0)


def steps(came: Came) -> list[tuple[int, int]]:
    return [(each.before, each.after) for each in came.changes]


def test_a_light_load_changes_nothing() -> None:
    assert simulate(PLAIN, COSTS, lambda s: 1.0, seconds=600, noise=0.2).changes == []


def test_an_overload_degrades_at_once_and_is_left_when_it_ends() -> None:
    came = simulate(PLAIN, COSTS, lambda s: 4.0 if 20 <= s < 60 else 1.0, seconds=120)
    assert steps(came)[:1] == [(0, 1)]
    assert 20 < came.changes[0].at_ns / 1e9 < 20.5
    assert steps(came)[-1][1] == 0
    assert 60 < came.changes[-1].at_ns / 1e9 < 75
    late = [latency for at, latency, _ in came.results if 26 < at < 60 and latency > BUDGET]
    assert len(late) <= 0.05 * sum(26 < at < 60 for at, _, _ in came.results)


def test_what_was_measured_beforehand_spares_a_failure() -> None:
    """Level 1 is only ever seen under load; level 0 was seen without, and looks as cheap."""
    terms, load = Terms(BUDGET, (1, 1)), lambda s: 4.0 if 20 <= s < 60 else 1.0
    blind = simulate(terms, (12.0, 3.0), load, seconds=120)
    assert steps(blind)[:3] == [(0, 1), (1, 0), (0, 1)]
    told = simulate(terms, (12.0, 3.0), load, seconds=120, expect=True)
    assert steps(told) == [(0, 1), (1, 0)]
    assert 60 < told.changes[1].at_ns / 1e9 < 65


def test_a_hopeless_load_ends_in_passing_through_which_is_left_by_trial() -> None:
    came = simulate(PLAIN, COSTS, lambda s: 20.0 if s < 100 else 1.0, seconds=300)
    assert steps(came)[:3] == [(0, 1), (1, 2), (2, 3)]
    assert any(each.trial and each.before == 3 for each in came.changes)
    assert steps(came)[-1] == (1, 0)


def test_a_prediction_that_is_too_dark_is_tried_all_the_same() -> None:
    """The run begins under load: what level 0 costs without it was never seen."""
    came = simulate(Terms(BUDGET, (1, 1)), (12.0, 6.0), lambda s: 5.0 if s < 20 else 1.0, seconds=200)
    assert steps(came) == [(0, 1), (1, 0)]
    assert 20 < came.changes[1].at_ns / 1e9 < 100


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(
    share=st.floats(0.5, 2.0),
    noise=st.floats(0.0, 0.5),
    seed=st.integers(0, 99),
    cheaper=st.floats(0.2, 0.99),
    period=st.sampled_from([10.0, 20.0, 33.0, 100.0]),
)
def test_a_steady_load_at_the_border_does_not_swing(
    share: float, noise: float, seed: int, cheaper: float, period: float
) -> None:
    terms = Terms(BUDGET, (1, 1, 2, 0))
    costs = [BUDGET * share * each for each in (1.0, cheaper, cheaper, 1.0)]
    came = simulate(terms, costs, lambda s: 1.0, seconds=1200, noise=noise, seed=seed, period_ms=period)
    assert came.most_in(60) <= 31
    # Each of three levels is tried, and tried again after waits that double; levels that held for a minute are new.
    assert came.between(600, 1200) <= 2 * 10 + 6


@st.composite
def loads(draw: st.DrawFn) -> Callable[[float], float]:
    base, depth = draw(st.floats(0.3, 6.0)), draw(st.floats(0.0, 1.0))
    span, drift = draw(st.floats(0.5, 200.0)), draw(st.floats(-0.01, 0.02))
    kind = draw(st.sampled_from(["wave", "square", "burst", "drift"]))

    def load(s: float) -> float:
        phase = s / span % 1.0
        if kind == "wave":
            return base * (1 + depth * math.sin(2 * math.pi * phase))
        if kind == "square":
            return base * (1 + depth * (phase < 0.5) * 5)
        if kind == "burst":
            return base * (1 + 20 * depth * (phase < 0.05))
        return max(0.05, base * (1 + drift * s))

    return load


@settings(max_examples=40, deadline=None)
@given(
    load=loads(),
    noise=st.floats(0.0, 1.0),
    seed=st.integers(0, 999),
    period=st.floats(5.0, 200.0),
    dwell=st.sampled_from([0.5, 2.0, 10.0]),
    window=st.sampled_from([5, 20, 40, 100]),
    costs=st.lists(st.floats(1.0, 60.0), min_size=4, max_size=4),
    depth=st.integers(1, 4),
)
def test_whatever_the_load(
    load: Callable[[float], float],
    noise: float,
    seed: int,
    period: float,
    dwell: float,
    window: int,
    costs: list[float],
    depth: int,
) -> None:
    terms = Terms(BUDGET, (1, 1, 2, 0), window, dwell)
    came = simulate(terms, costs, load, seconds=300, noise=noise, seed=seed, period_ms=period, depth=depth)
    level = 0
    for change in came.changes:
        assert change.before == level
        assert abs(change.after - change.before) == 1
        assert 0 <= change.after < 4
        level = change.after
        if change.after > change.before:
            assert change.latency_ms > BUDGET
        elif not change.trial:
            assert change.predicted is not None
            assert change.predicted.fits(BUDGET)
    for first, second in pairwise(came.changes):
        assert second.at_ns - first.at_ns >= dwell * 1e9
    assert came.most_in(60) <= 60 / dwell + 1


def test_it_depends_on_nothing_but_what_it_saw() -> None:
    def run(shift_ns: int) -> list[tuple[int, int, int]]:
        controller, changes = Controller(PLAIN), []
        for number in range(3000):
            latency = 100.0 if 500 <= number < 900 else 10.0
            change = controller.see(Seen(shift_ns + number * 20_000_000, latency, 9.0, number, controller.level))
            if change is not None:
                changes.append((change.at_ns - shift_ns, change.before, change.after))
        return changes

    assert run(0) == run(10**15) != []


@pytest.mark.parametrize("above", [2, 3])
def test_a_twentieth_may_take_longer(above: int) -> None:
    controller = Controller(PLAIN)
    changes = [
        controller.see(Seen(number * 20_000_000, 41.0 if number % 40 < above else 1.0, 1.0, number, 0))
        for number in range(400)
    ]
    assert any(changes) is (above == 3)


def test_windows_that_expired_count_as_too_slow() -> None:
    controller = Controller(PLAIN)
    changes = [controller.see(Seen(n * 20_000_000, math.inf, None, n, 0)) for n in range(3)]
    assert changes[:2] == [None, None]
    assert changes[2] is not None
    assert changes[2].after == 1


def test_what_was_received_before_a_change_says_nothing_after_it() -> None:
    controller = Controller(PLAIN)
    for number in range(5):
        controller.see(Seen(number * 10_000_000, 60.0, 50.0, number, controller.level))
    assert controller.level == 1
    for number in range(200):
        controller.see(Seen(3_000_000_000 + number, 4000.0, 50.0, number, 1))
    assert controller.level == 1
