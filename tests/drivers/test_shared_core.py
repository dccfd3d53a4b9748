"""A core that others use too, and that fails: what is left running, who is chosen, and what the frames say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from onscope.drivers import micromanager
from onscope.runtime import SourceError

from .test_changes import PAUSE, ROOM, SIZE, segments, two_cameras
from .test_commands import Spy


@pytest.fixture
def scope() -> Iterator[micromanager.Scope]:
    with micromanager.demo(size=SIZE, buffer_mb=4) as scope:
        yield scope


class Faulty(Spy):
    """The real core; a method named in `faults` is that one instead, with the real one before its arguments."""

    def __init__(self, core: Any) -> None:
        super().__init__(core)
        self.faults: dict[str, Callable[..., Any]] = {}

    def __getattr__(self, name: str) -> Any:
        method = super().__getattr__(name)
        fault = self.faults.get(name)
        return method if fault is None else lambda *args: fault(method, *args)


def until(true: Callable[[], bool]) -> None:
    """Wait for it, half a minute at most."""
    for _ in range(3000):
        if true():
            return
        PAUSE.wait(0.01)
    raise AssertionError("it never came true")


def watched() -> bool:
    return any(thread.name == "onscope-buffer-watch" for thread in threading.enumerate())


def test_the_cores_camera_is_the_one_from_before(scope: micromanager.Scope) -> None:
    core = two_cameras(scope)
    core.load_device("Both", "Utilities", "Multi Camera")
    core.initialize_device("Both")
    scope.set("Both", "Physical Camera 1", "Camera")
    scope.set("Both", "Physical Camera 2", "Other")
    core.set_camera_device("Both")
    for _ in range(2):
        source = scope.live_all(2.0)
        assert core.get_camera_device() == "Both"
        assert {frame.id.camera for frame in source.frames(20)} == {"Camera", "Other"}
        assert core.get_camera_device() == "Both"
    one = scope.live(2.0, camera="Other")
    assert {frame.id.camera for frame in one.frames(2)} == {"Other"}
    assert core.get_camera_device() == "Both"
    frames = one.frames()
    next(frames)
    frames.close()
    assert core.get_camera_device() == "Both"


def test_a_camera_that_another_has_chosen_meanwhile_stays(scope: micromanager.Scope) -> None:
    core = two_cameras(scope)
    core.load_device("Third", "DemoCamera", "DCam")
    core.initialize_device("Third")
    frames = scope.live(2.0, camera="Other").frames(1)
    next(frames)
    until(lambda: not core.is_sequence_running("Other"))
    core.set_camera_device("Third")
    frames.close()
    assert core.get_camera_device() == "Third"


@pytest.mark.parametrize("error", [RuntimeError("not connected"), SourceError("no answer for 10 s")])
@pytest.mark.parametrize("at", ["start_sequence_acquisition", "get_buffer_total_capacity"])
def test_a_start_that_fails_halfway_leaves_no_camera_running(
    scope: micromanager.Scope, at: str, error: Exception
) -> None:
    core, spy = two_cameras(scope), Faulty(scope.core)
    source = micromanager.Scope(spy).live_all(2.0, cameras=["Camera", "Other"])

    def fails(method: Any, *args: Any) -> Any:
        if args[:1] == ("Camera",):
            return method(*args)
        raise error

    spy.faults[at] = fails
    with pytest.raises(SourceError, match=str(error)):
        next(source.frames(1000))
    assert not core.is_sequence_running("Camera")
    assert not core.is_sequence_running("Other")
    spy.faults.clear()
    assert len(list(source.frames(6))) == 6


def test_a_camera_that_refuses_to_stop_does_not_keep_the_other_running(scope: micromanager.Scope) -> None:
    core, spy = two_cameras(scope), Faulty(scope.core)
    frames = micromanager.Scope(spy).live_all(2.0, cameras=["Camera", "Other"]).frames()
    next(frames)

    def refuses(method: Any, *args: Any) -> Any:
        if args == ("Camera",):
            raise RuntimeError("will not stop")
        return method(*args)

    spy.faults["stop_sequence_acquisition"] = refuses
    with pytest.raises(SourceError, match="will not stop"):
        frames.close()
    assert not core.is_sequence_running("Other")
    core.stop_sequence_acquisition("Camera")


def test_a_camera_that_another_restarts_opens_a_segment(scope: micromanager.Scope) -> None:
    taken = []
    for frame in scope.live(exposure_ms=1.0).frames(60):
        taken.append(frame)
        if len(taken) == 20:
            scope.core.stop_sequence_acquisition()
            scope.core.start_continuous_sequence_acquisition(0.0)
    found = segments(taken)
    assert {number: len(frames) for number, frames in found.items()} == {0: 20, 1: 40}


def test_another_objective_is_another_size_of_pixel(scope: micromanager.Scope) -> None:
    labels = [str(label) for label in scope.core.get_allowed_property_values("Objective", "Label")]
    taken = []
    for frame in scope.live(exposure_ms=1.0).frames(40):
        taken.append(frame)
        if len(taken) == 10:
            scope.set("Objective", "Label", labels[1])
    found = segments(taken)
    assert {number: {frame.pixel_size_um for frame in frames} for number, frames in found.items()} == {
        0: {1.0},
        1: {0.5},
    }


def test_a_look_that_fails_does_not_end_the_watch(scope: micromanager.Scope) -> None:
    spy, failed = Faulty(scope.core), threading.Event()

    def fails_once(method: Any) -> Any:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("busy for a moment")
        return method()

    spy.faults["get_buffer_free_capacity"] = fails_once
    frames = micromanager.Scope(spy).live(exposure_ms=2.0).frames()
    taken = [next(frames)]
    until(lambda: not scope.core.is_sequence_running())
    assert failed.is_set()
    with pytest.raises(SourceError, match="was stopped in order"):
        taken.extend(frames)
    assert len(segments(taken)[0]) >= 0.85 * ROOM


def test_a_sequence_that_another_starts_between_two_looks_is_not_stopped(scope: micromanager.Scope) -> None:
    core, frames = scope.core, scope.live(exposure_ms=5.0).frames()
    taken = [next(frames), next(frames)]
    with scope._changes.lock:  # no look
        core.stop_sequence_acquisition()
        core.start_continuous_sequence_acquisition(0.0)
    until(lambda: not core.is_sequence_running() or core.get_remaining_image_count() > 0.95 * ROOM)
    assert core.is_sequence_running()
    while (frame := next(frames)).id.segment == 0:
        taken.append(frame)
    assert frame.id.seq == 0
    frames.close()


def test_a_sequence_of_another_is_not_stopped_and_ours_is_watched_again(scope: micromanager.Scope) -> None:
    core = scope.core
    frames = scope.live(exposure_ms=1.0).frames()
    next(frames)
    core.stop_sequence_acquisition()
    until(lambda: not watched())
    core.start_continuous_sequence_acquisition(0.0)
    PAUSE.wait(0.5)  # longer than the buffer lasts
    assert core.is_sequence_running()
    scope.set_exposure(2.0)
    while next(frames).id.segment == 0:
        pass
    assert watched()
    until(lambda: not core.is_sequence_running())
    frames.close()
