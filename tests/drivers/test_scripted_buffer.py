"""The scripted camera's buffer: what comes while nobody takes frames, and what of it is lost."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.drivers import scripted
from onscope.runtime import FrameId, SourceError
from onscope.runtime._ledger import Ledger

from .scripts import SMALL, HandClock

MS = 1_000_000
STEPS = st.one_of(
    st.builds(scripted.Steady, st.integers(1, 20), st.sampled_from([50.0, 100.0, 200.0, 500.0, 1000.0])),
    st.builds(scripted.Pause, st.integers(0, 30)),
    st.builds(scripted.Drop, st.integers(1, 3)),
    st.just(scripted.Restart()),
)


def ticked(script: list[Any], buffer: int, stop: bool, works: list[int]) -> tuple[list[tuple[int, ...]], bool, int]:
    """The same millisecond by millisecond: frames come first, then the reader takes one unless it is at work.

    What was given, as (segment, seq, moment it came, moment it was taken); whether the camera stopped; frames dropped.
    """
    due: list[tuple[int, int, int]] = []
    at = segment = seq = 0
    for step in script:
        match step:
            case scripted.Steady():
                for _ in range(step.n or 0):
                    at += round(1000 / step.fps)
                    due.append((at, segment, seq))
                    seq += 1
            case scripted.Pause():
                at += int(step.ms)
            case scripted.Drop():
                seq += step.n
            case scripted.Restart():
                segment, seq = segment + 1, 0
    waiting: list[tuple[int, int, int]] = []
    given: list[tuple[int, ...]] = []
    stopped, dropped, free_at = False, 0, 0
    for tick in range(at + sum(works) + 100 * len(due) + 1):
        while due and due[0][0] == tick and not stopped:
            if len(waiting) < buffer:
                waiting.append(due.pop(0))
            else:
                due.pop(0)
                dropped += 1
                stopped = stop
        while waiting and tick >= free_at:
            came, segment, seq = waiting.pop(0)
            given.append((segment, seq, came, tick))
            free_at = tick + works[len(given) % len(works)]
            if free_at > tick:
                break
    return given, stopped, dropped


@settings(deadline=None, max_examples=300)
@given(
    st.lists(STEPS, max_size=8), st.integers(1, 5), st.booleans(), st.lists(st.integers(0, 40), min_size=1, max_size=6)
)
def test_what_is_lost_is_what_found_no_room(script: list[Any], buffer: int, stop: bool, works: list[int]) -> None:
    expected, stopped, dropped = ticked(script, buffer, stop, works)
    clock = HandClock(0)
    camera = scripted.camera(
        script, shape=SMALL, buffer=buffer, on_overflow="stop" if stop else "drop", clock=clock, name="cam"
    )
    found = []
    full = ""
    ledger = Ledger()
    try:
        for frame in camera.frames():
            ledger.enter(frame.id)
            found.append((frame.id.segment, frame.id.seq, frame.received_ns // MS, clock.at_ns // MS))
            clock.at_ns += works[len(found) % len(works)] * MS
    except SourceError as error:
        full = str(error)
    assert found == expected
    assert ("buffer" in full) == stopped
    assert camera.tally == scripted.Tally(len(expected), dropped, ledger.counts["lost_upstream"])


def test_the_buffered_frames_still_come_before_the_camera_says_that_it_stopped() -> None:
    clock = HandClock()
    frames = scripted.camera(
        [scripted.Steady(100, fps=100)], shape=SMALL, buffer=3, on_overflow="stop", clock=clock
    ).frames()
    assert next(frames).id.seq == 0
    clock.at_ns += 500 * MS
    assert [next(frames).id.seq for _ in range(3)] == [1, 2, 3]
    with pytest.raises(SourceError, match="stopped after 4 frames because its buffer of 3 frames was full, expected"):
        next(frames)


def test_lost_frames_are_a_jump_of_the_counter() -> None:
    clock = HandClock()
    camera = scripted.camera([scripted.Steady(100, fps=100)], shape=SMALL, buffer=3, clock=clock)
    frames = camera.frames()
    next(frames)
    clock.at_ns += 500 * MS
    seqs = [next(frames).id.seq for _ in range(5)]
    assert seqs == [1, 2, 3, 51, 52]
    assert camera.tally == scripted.Tally(given=6, dropped=47, lost=47)


def test_nothing_is_lost_without_a_limit_or_in_a_burst_that_waits() -> None:
    clock = HandClock()
    camera = scripted.camera([scripted.Steady(200, fps=1000)], shape=SMALL, clock=clock)
    for frame in camera.frames():
        clock.at_ns += 7 * MS
        assert frame.received_ns == (frame.id.seq + 1) * MS + 1_000
    camera = scripted.camera(
        [scripted.Burst(50), scripted.Steady(2, fps=10)], shape=SMALL, buffer=1, clock=clock, name="cam"
    )
    moments = []
    for frame in camera.frames():
        assert clock.at_ns == frame.received_ns
        clock.at_ns += 7 * MS
        moments.append(frame.received_ns)
    assert len(moments) == 52
    assert moments[-1] - moments[49] == 200 * MS  # the script's time stood still while the burst waited
    assert [b - a for a, b in pairwise(moments[:50])] == [7 * MS] * 49


def test_a_failure_waits_for_the_frames_before_it() -> None:
    clock = HandClock()
    script: list[scripted.Step] = [
        scripted.Steady(3, fps=1000),
        scripted.Fail("unplugged"),
        scripted.Steady(2, fps=1000),
    ]
    camera = scripted.camera(script, shape=SMALL, clock=clock, name="cam", run="r")
    frames = camera.frames()
    next(frames)
    clock.at_ns += 100 * MS
    assert [next(frames).id.seq for _ in range(2)] == [1, 2]
    with pytest.raises(SourceError, match=r"cam stopped after 3 frames .*\(unplugged\), expected"):
        next(frames)
    assert [frame.id for frame in camera.frames()] == [FrameId("r", "cam", 1, 0), FrameId("r", "cam", 1, 1)]
    assert next(camera.frames()).id == FrameId("r", "cam", 2, 0)
