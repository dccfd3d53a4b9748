"""Frames of a steered source: none is missing, each tells where it was taken and what it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from threading import Event

import numpy as np
import pytest

from onscope.drivers import micromanager
from onscope.drivers.micromanager._sequence import CameraSequence, Image
from onscope.drivers.micromanager.control import Calibration, CoreController, Stages
from onscope.runtime import ControlError, Frame, Source, SourceError
from onscope.runtime.feedback import (
    Autofocus,
    Burst,
    MoveFocus,
    MoveStage,
    Pause,
    SetExposure,
    SetInterval,
    SetPower,
    Stack,
    Visit,
)

from ..source_tests import SourceTests
from ..specimens import ONE, one_bead, spot
from .rigs import Taker, controlled, taken


def check(frames: list[Frame]) -> dict[int, list[Frame]]:
    """Segments follow each other, and none lacks a frame; all frames are of one run, received one after the other."""
    found = {number: list(group) for number, group in groupby(frames, lambda frame: frame.id.segment)}
    assert list(found) == list(range(len(found)))
    for group in found.values():
        assert [frame.id.seq for frame in group] == list(range(len(group)))
        assert len({(frame.exposure_ms, frame.labels.get("action")) for frame in group}) == 1
    assert len({frame.id.run for frame in frames}) == 1
    received = [frame.received_ns for frame in frames]
    assert received == sorted(received)
    return found


def test_all_frames_are_of_one_run_and_accounted_for() -> None:
    actions = [Burst(5), MoveStage(60.0, 50.0), SetExposure(3.0), Stack(3, 1.0), Visit(((40.0, 50.0), (60.0, 50.0)))]
    with controlled(real=True) as (_, controller), taken(controller.live(exposure_ms=2.0)) as taker:
        for action in actions:
            controller.apply(action)
            taker.more(2)
            while taker.frames[-1].labels.get("action"):  # those that were held come first
                taker.more(1)
    told = [group[0].labels.get("action") for group in check(taker.frames).values()]
    assert told == [None, "burst", None, None, "stack", None, "tile", None]
    counts = {group[0].labels.get("action"): len(group) for group in check(taker.frames).values()}
    assert (counts["burst"], counts["stack"], counts["tile"]) == (5, 3, 2)


def test_an_image_that_was_taken_and_not_given_yet_is_of_the_segment_before(monkeypatch: pytest.MonkeyPatch) -> None:
    popped, opened, pop = Event(), Event(), CameraSequence._pop

    def slow(self: CameraSequence) -> tuple[Image, bool]:
        image = pop(self)
        if not popped.is_set():  # the first one: an action has the camera before it is given
            self._saved.append(image[0])
            popped.set()
            self._changes.lock.release()
            opened.wait(30)
            self._changes.lock.acquire()
            return (self._saved.popleft(), True)
        return image

    monkeypatch.setattr(CameraSequence, "_pop", slow)
    with controlled(real=True) as (_, controller):
        taker = Taker(controller.live(exposure_ms=2.0))
        assert popped.wait(30)
        controller.apply(Burst(3))
        opened.set()
        taker.until(6)
        taker.end()
    segments = check(taker.frames)
    assert [frame.labels.get("action") for frame in segments[0]] == [None] * len(segments[0])
    assert [frame.labels.get("action") for frame in segments[1]] == ["burst"] * 3


def test_frames_of_actions_count_and_the_rest_is_kept() -> None:
    with controlled(real=True) as (_, controller):
        source = controller.live(exposure_ms=2.0)
        controller.apply(Burst(6))  # nobody takes frames yet: they wait
        first = list(source.frames(4))
        rest = list(source.frames(5))
        assert [frame.labels.get("action") for frame in first + rest] == ["burst"] * 6 + [None] * 3
        check(first + rest)


def test_an_action_that_nobody_takes_the_frames_of_is_refused_before_it_begins() -> None:
    with controlled() as (scope, controller):
        source = controller.live(exposure_ms=2.0, hold_mb=1)
        before = scope.bench.journal
        for action in (Burst(200), Stack(200, 0.1), Visit(((50.0, 50.0),) * 200), Autofocus(20.0, 0.1)):
            with pytest.raises(ControlError, match=r"expected 128 at most: take the frames in another thread"):
                controller.apply(action)
        assert [one.verb for one in scope.bench.journal[len(before) :] if one.device != "Shutter"] == []
        frames = source.frames()
        next(frames)
        with pytest.raises(ControlError, match="nobody takes meanwhile"):  # this thread is the one that would
            controller.apply(Burst(200))
        frames.close()


def test_more_frames_than_are_held_flow_while_they_are_taken() -> None:
    with controlled(real=True) as (_, controller), taken(controller.live(exposure_ms=1.0, hold_mb=1)) as taker:
        controller.apply(Burst(300))
        taker.more(1)
    assert len([frame for frame in taker.frames if frame.labels]) >= 300
    assert len(next(group for group in check(taker.frames).values() if group[0].labels.get("action"))) == 300


def test_one_generator_at_a_time() -> None:
    with controlled(real=True) as (_, controller):
        source = controller.live(exposure_ms=2.0)
        frames = source.frames(3)
        next(frames)
        with pytest.raises(SourceError, match="found frames\\(\\) in use, expected one at a time"):
            next(source.frames())
        frames.close()
        assert len(list(source.frames(2))) == 2


def test_slow_routine_frames_are_of_one_segment_as_long_as_nothing_changes() -> None:
    with controlled() as (scope, controller):  # hours, in time that passes when somebody waits
        source = controller.live(exposure_ms=10.0, interval_s=300.0)
        frames = source.frames()
        seen = [next(frames) for _ in range(4)]
        controller.apply(SetPower("LED 475", 3.0))
        controller.apply(MoveStage(55.0, 50.0))
        seen += [next(frames) for _ in range(3)]
        controller.apply(Burst(2))
        seen += [next(frames) for _ in range(4)]
        controller.apply(SetExposure(20.0))
        seen += [next(frames) for _ in range(2)]
        frames.close()
        assert [len(group) for group in check(seen).values()] == [7, 2, 2, 2]
        begins = [one.at_s for one in scope.bench.journal if one.verb == "expose"]
        assert np.diff(begins)[:6] == pytest.approx(300.0, abs=1.0)
        assert [frame.stage_um for frame in seen[3:5]] == [(50.0, 50.0, 0.0), (55.0, 50.0, 0.0)]


def test_a_frame_tells_the_place_that_was_commanded_when_its_exposure_began() -> None:
    with controlled(real=True) as (_, controller), taken(controller.live(exposure_ms=100.0)) as taker:
        begun = len(taker.frames)
        done = controller.apply(MoveStage(70.0, 50.0))
        taker.until(begun + 4)
    moved_ns = next(one.at_ns for one in done.commands if one.verb == "move")
    for frame in taker.frames:
        began_ns = frame.received_ns - 100_000_000
        assert frame.stage_um is not None
        if abs(began_ns - moved_ns) > 20_000_000:  # receipt is known to some milliseconds
            assert frame.stage_um[0] == (70.0 if began_ns > moved_ns else 50.0)


def test_a_pause_ends_by_itself() -> None:
    with controlled(real=True) as (_, controller), taken(controller.live(exposure_ms=5.0)) as taker:
        controller.apply(Pause(0.2))
        taker.more(3)
        assert not controller.setting().paused


def test_focus_is_regained_after_a_jump() -> None:
    with controlled(real=True) as (scope, controller), taken(controller.live(exposure_ms=30.0)) as taker:
        controller.apply(MoveFocus(2.3))  # as a jump of the stage, or of the sample, looks
        controller.apply(Autofocus(8.0, 0.5))
        assert scope.bench.xyz_um()[2] == pytest.approx(ONE[0], abs=0.25)
        assert controller.setting().z_um == scope.bench.xyz_um()[2]
        taker.more(2)
    stack = [frame for frame in taker.frames if frame.labels.get("action") == "autofocus"]
    assert [frame.index["z"] for frame in stack] == list(range(17))


@pytest.mark.parametrize(
    ("z_um", "range_um", "words"),
    [(40.0, 3.0, "found a flat focus curve"), (3.0, 4.0, "found the sharpest plane at the end of the range")],
)
def test_an_autofocus_that_finds_nothing_goes_back_and_says_so(z_um: float, range_um: float, words: str) -> None:
    with controlled() as (scope, controller):
        controller.live(exposure_ms=30.0)
        controller.apply(MoveFocus(z_um))
        with pytest.raises(ControlError, match=words):
            controller.apply(Autofocus(range_um, 0.5))
        assert scope.bench.xyz_um()[2] == z_um == controller.setting().z_um


def test_a_moving_object_is_kept_in_the_middle() -> None:
    """A bead that wanders 0.4 um from frame to frame, brought back by what each of them shows."""
    scene = one_bead()
    pixel_um = 6.5 / 60
    with controlled(scene) as (_, controller):
        frames = controller.live(exposure_ms=30.0, interval_s=1.0).frames()
        off_um = []
        for number in range(25):
            scene.zyx_um[0, 1:] += (0.3, -0.25)
            frame = next(frames)
            _, row, column = spot(frame.pixels.astype(float))
            dx_um, dy_um = ((place - 31.5) * pixel_um for place in (column, row))
            assert frame.stage_um is not None
            if number > 3:
                off_um.append(float(np.hypot(dx_um, dy_um)))
            # anchored to where the stage was commanded to be when the frame was taken
            controller.apply(MoveStage(frame.stage_um[0] + 0.8 * dx_um, frame.stage_um[1] + 0.8 * dy_um))
        frames.close()
        assert max(off_um) < 2.0
        assert np.hypot(*(scene.zyx_um[0, 1:] - 50.0)) > 8.0  # it left the frame's middle far behind


class TestTheSteeredSource(SourceTests):
    """The conventions of all sources."""

    @contextmanager
    def make_source(self) -> Iterator[Source]:
        with controlled(real=True) as (_, controller):
            yield controller.live(exposure_ms=5.0)

    @contextmanager
    def make_unknown(self) -> Iterator[Source]:
        with controlled() as (scope, controller):
            source = controller.live(exposure_ms=5.0)
            scope.close()
            source.spec()
            yield source


def test_the_demo_microscope_is_controlled_too() -> None:
    stages = Stages(x_um=(-1000.0, 1000.0), y_um=(-1000.0, 1000.0), z_um=(-100.0, 100.0))
    with micromanager.demo(size=128) as scope:
        controller = CoreController(scope, Calibration(stages=stages))
        limits = controller.limits()
        assert (limits.x_um, limits.z_um) == ((-1000.0, 1000.0), (-100.0, 100.0))
        assert "DAPI" in limits.presets["Channel"]
        taker = Taker(controller.live(exposure_ms=5.0))
        taker.until(3)
        controller.apply(MoveStage(120.0, -40.0))
        controller.apply(MoveFocus(3.0))
        controller.apply(SetExposure(8.0))
        taker.more(2)
        controller.apply(Burst(4, exposure_ms=2.0))
        controller.apply(Stack(3, 2.0))
        controller.apply(SetInterval(0.05))
        taker.more(6)
        assert (float(scope.core.get_x_position()), float(scope.core.get_y_position())) == pytest.approx(
            (120.0, -40.0), abs=0.1
        )
        assert float(scope.core.get_position()) == pytest.approx(3.0, abs=0.1)
        controller.safe()
        taker.joined()
        assert not scope.core.is_sequence_running()
        counts = {name: len([f for f in taker.frames if f.labels.get("action") == name]) for name in ("burst", "stack")}
        assert counts == {"burst": 4, "stack": 3}
        check(taker.frames)


def test_time_that_passes_when_somebody_waits_is_the_controller_s_too() -> None:
    with controlled() as (scope, controller):
        begin_s = scope.bench.clock.now_s()
        controller.live(exposure_ms=5.0)
        controller.apply(Burst(10, 60_000.0))
        assert scope.bench.clock.now_s() - begin_s > 9 * 60.0
