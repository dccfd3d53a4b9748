"""Looks into the core's buffer: most of an exposure is slept through, and never where images come sooner."""

from __future__ import annotations

import pytest

from onscope.drivers.micromanager import _pace
from onscope.drivers.micromanager._pace import NAP_S, PART, WAIT_S, Pace


class Clock:
    def __init__(self) -> None:
        self.ns = 10**9

    def __call__(self) -> int:
        return self.ns

    def pass_s(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_pace, "now_ns", clock)
    return clock


def watch(pace: Pace, clock: Clock, interval_s: float, images: int) -> tuple[int, float]:
    """(looks into an empty buffer, longest delay in s) of a camera that gives an image every `interval_s`."""
    looks, worst, due = 0, 0.0, clock.ns
    for _ in range(images):
        empty = 0
        while clock.ns < due:
            empty += 1
            clock.pass_s(pace.pause_s())
        looks, worst = looks + empty, max(worst, (clock.ns - due) / 1e9)
        pace.came(empty)
        due += round(interval_s * 1e9)
    return looks, worst


def test_most_of_an_exposure_is_slept_through_and_no_image_comes_late(clock: Clock) -> None:
    looks, worst = watch(Pace(40.0), clock, 0.0401, 50)
    assert looks < 50 * 50  # 134 each without
    assert worst <= WAIT_S * 1.01


def test_a_camera_that_is_faster_than_it_says_is_looked_at_ever_more_often(clock: Clock) -> None:
    pace = Pace(40.0)
    watch(pace, clock, 0.005, 20)
    looks, worst = watch(pace, clock, 0.005, 200)
    assert worst < 0.004  # below the interval: no image is found with another behind it
    assert looks > 200


def test_without_an_exposure_or_before_the_first_image_there_are_short_looks_only(clock: Clock) -> None:
    for pace in (Pace(), Pace(0.1), Pace(40.0)):
        assert pace.pause_s() == WAIT_S
    pace = Pace(40.0)
    pace.came(0)  # it was there already: nobody knows since when
    assert pace.pause_s() == WAIT_S


def test_a_nap_is_short_against_what_a_user_waits_for(clock: Clock) -> None:
    pace = Pace(5000.0)
    pace.came(3)
    assert pace.pause_s() == NAP_S
    clock.pass_s(5.0 * PART)
    assert pace.pause_s() == WAIT_S
