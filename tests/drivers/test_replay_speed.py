"""Replay at full, recorded and chosen speed."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import tifffile

from onscope.drivers import replay
from onscope.runtime import Source, SourceError, now_ns

from .stored import STEP_NS, numbered, record


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every sleep of the replay, in seconds, while it really sleeps."""
    slept: list[float] = []
    really = time.sleep

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        really(seconds)

    monkeypatch.setattr("onscope.drivers._replay._pace.time.sleep", sleep)
    return slept


def due_ns(source: Source) -> list[int]:
    """When each frame was received, in nanoseconds after a moment before the replay began."""
    before = now_ns()
    return [frame.received_ns - before for frame in source.frames()]


def test_a_chosen_speed_is_kept(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", numbered(6), photometric="minisblack")
    due = due_ns(replay(tmp_path / "stack.tif", fps="50"))
    assert all(later >= number * 20_000_000 for number, later in enumerate(due))


def test_full_speed_waits_for_nothing(tmp_path: Path, paced: list[float]) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", numbered(6), photometric="minisblack")
    assert len(list(replay(tmp_path / "stack.tif").frames())) == 6
    assert paced == []


def test_recorded_speed_is_that_of_the_recording(tmp_path: Path, paced: list[float]) -> None:
    record(tmp_path / "run", [(0, seq) for seq in range(4)])
    due = due_ns(replay(tmp_path / "run", fps="recorded"))
    assert all(later >= number * STEP_NS for number, later in enumerate(due))
    assert 0 < sum(paced) <= 3 * STEP_NS / 1e9


def test_a_frame_taken_late_was_received_when_it_was_due(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", numbered(3), photometric="minisblack")
    frames = replay(tmp_path / "stack.tif", fps=100).frames()
    first = next(frames)
    time.sleep(0.3)
    late_ns = now_ns()
    assert next(frames).received_ns < late_ns
    assert next(frames).received_ns < late_ns
    assert first.received_ns < late_ns


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), "fast"])
def test_speeds_that_make_no_sense(tmp_path: Path, fps: Any) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", numbered(1))
    with pytest.raises(SourceError, match="expected a number above 0"):
        replay(tmp_path / "stack.tif", fps=fps)


def test_a_multiple_of_the_recorded_pace(tmp_path: Path) -> None:
    record(tmp_path / "run", [(0, seq) for seq in range(4)])
    for speed in (4, "0.5"):
        due = due_ns(replay(tmp_path / "run", speed=speed))
        assert all(later >= number * STEP_NS / float(speed) for number, later in enumerate(due))


@pytest.mark.parametrize("speed", [0, -1, "fast"])
def test_multiples_that_make_no_sense(tmp_path: Path, speed: Any) -> None:
    record(tmp_path / "run", [(0, 0)])
    with pytest.raises(SourceError, match="expected a number above 0, times as fast"):
        replay(tmp_path / "run", speed=speed)
    with pytest.raises(SourceError, match="expected one of them"):
        replay(tmp_path / "run", fps=3, speed=2)


def test_frame_by_frame_a_frame_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    record(tmp_path / "run", [(0, seq) for seq in range(4)])
    source = replay(tmp_path / "run", step=True)
    taken: list[int] = []
    come = threading.Semaphore(0)

    def take() -> None:
        for frame in source.frames():
            taken.append(frame.id.seq)
            come.release()

    taker = threading.Thread(target=take)
    taker.start()
    assert not come.acquire(timeout=0.2)
    source.step()
    assert come.acquire(timeout=20)
    assert not come.acquire(timeout=0.1)
    source.step(2)
    assert come.acquire(timeout=20)
    assert come.acquire(timeout=20)
    assert taken == [0, 1, 2]
    source.end()
    taker.join(20)
    assert not taker.is_alive()
    assert taken == [0, 1, 2]
    with pytest.raises(SourceError, match="expected one with step=True"):
        replay(tmp_path / "run").step()
    with pytest.raises(SourceError, match="expected one of them"):
        replay(tmp_path / "run", step=True, speed=2)
