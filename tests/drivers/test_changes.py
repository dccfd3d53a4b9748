"""Live sequences under load and change, on the real core: full buffers, new segments, several cameras."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from typing import Any

import pytest

from onscope.drivers import micromanager
from onscope.runtime import Frame, SourceError

from .test_commands import Spy

SIZE = 128
ROOM = 4 * 2**20 // (SIZE * SIZE * 2)
"""Images in the buffer."""
PAUSE = threading.Event()


@pytest.fixture
def scope() -> Iterator[micromanager.Scope]:
    with micromanager.demo(size=SIZE, buffer_mb=4) as scope:
        yield scope


def segments(frames: list[Frame]) -> dict[int, list[Frame]]:
    """Frames by segment; checks that none is missing in any of them, and that segments follow each other."""
    found = {number: list(group) for number, group in groupby(frames, lambda frame: frame.id.segment)}
    assert sorted(found) == list(range(min(found), min(found) + len(found)))
    for group in found.values():
        assert [frame.id.seq for frame in group] == list(range(len(group)))
        assert len({(frame.pixels.shape, frame.pixels.dtype, frame.exposure_ms) for frame in group}) == 1
    return found


@pytest.mark.parametrize("n", [None, 100 * ROOM])
def test_a_slow_reader_gets_every_frame_and_an_orderly_end(scope: micromanager.Scope, n: int | None) -> None:
    frames, taken = scope.live(exposure_ms=1.0).frames(n), []

    def slowly() -> None:
        for frame in frames:
            taken.append(frame)
            if scope.core.is_sequence_running():
                PAUSE.wait(0.02)  # the camera gives several images meanwhile

    with pytest.raises(SourceError, match=r"stopped after \d+ .*buffer of 4 MB was 90% full and was stopped in order"):
        slowly()
    assert set(segments(taken)) == {0}
    assert len(taken) >= 0.85 * ROOM
    assert not scope.core.is_buffer_overflowed()


def test_a_reader_that_sleeps_loses_nothing(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=0.1).frames()
    taken = [next(frames)]
    while scope.core.is_sequence_running():
        PAUSE.wait(0.01)
    with pytest.raises(SourceError, match="take them faster"):
        taken.extend(frames)
    assert set(segments(taken)) == {0}
    assert not scope.core.is_buffer_overflowed()


def test_a_finite_sequence_that_fits_the_buffer_is_left_alone(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=0.1).frames(ROOM - 2)
    taken = [next(frames)]
    while scope.core.is_sequence_running():
        PAUSE.wait(0.01)
    assert len(segments([*taken, *frames])[0]) == ROOM - 2


def test_overwriting_is_a_choice(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=0.1, on_full="overwrite").frames()
    next(frames)
    while scope.core.get_remaining_image_count() < 0.95 * ROOM:
        pass
    PAUSE.wait(0.1)
    assert scope.core.is_sequence_running()
    frames.close()
    with pytest.raises(SourceError, match="expected 'stop' or 'overwrite'"):
        scope.live(on_full="explode")  # type: ignore[arg-type]


CHANGES: dict[str, tuple[Callable[[micromanager.Scope], None], tuple[int, int], str, float]] = {
    "roi": (lambda scope: scope.set_roi(0, 0, 64, 32), (32, 64), "uint16", 1.0),
    "binning": (lambda scope: scope.set_binning(2), (64, 64), "uint16", 1.0),
    "pixel type": (lambda scope: scope.set("Camera", "PixelType", "8bit"), (128, 128), "uint8", 1.0),
    "size": (lambda scope: scope.set("Camera", "OnCameraCCDXSize", 96), (128, 96), "uint16", 1.0),
    "exposure": (lambda scope: scope.set_exposure(3.0), (128, 128), "uint16", 3.0),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_change_opens_a_segment_and_loses_nothing(scope: micromanager.Scope, what: str, elsewhere: bool) -> None:
    change, shape, dtype, exposure_ms = CHANGES[what]
    source = scope.live(exposure_ms=1.0)
    frames, given = source.frames(30), []
    for frame in frames:
        given.append(frame)
        if len(given) == 5:
            while scope.core.get_remaining_image_count() < 3:
                PAUSE.wait(0.001)
            if elsewhere:
                thread = threading.Thread(target=change, args=(scope,))
                thread.start()
                thread.join()
            else:
                change(scope)
            spec = source.spec()
            assert (spec.shape, spec.dtype) == (shape, dtype)
            assert not scope.core.is_sequence_running()
    assert len(given) == 30
    found = segments(given)
    assert set(found) == {0, 1}
    assert len(found[0]) >= 8  # also those that stood in the buffer
    last = found[1][0]
    assert (last.pixels.shape, last.pixels.dtype.name, last.exposure_ms) == (shape, dtype, exposure_ms)
    assert source.spec().shape == shape


def test_changes_from_another_thread_while_frames_run(scope: micromanager.Scope) -> None:
    source = scope.live(exposure_ms=1.0)
    done = threading.Event()

    def change() -> None:
        for number in range(8):
            PAUSE.wait(0.03)
            scope.set_roi(0, 0, 64, 32 if number % 2 else 64)
        done.set()

    thread, taken = threading.Thread(target=change), []
    thread.start()
    for frame in (frames := source.frames()):
        taken.append(frame)
        if done.is_set() and frame.pixels.shape == (32, 64):
            break
    frames.close()
    thread.join()
    assert 2 <= len(segments(taken)) <= 9


def test_several_changes_between_two_frames_are_one_segment(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=1.0).frames(20)
    taken = [next(frames)]
    scope.set_binning(2)
    scope.set_exposure(2.0)
    scope.set_roi(0, 0, 32, 16)
    found = segments([*taken, *frames])
    assert set(found) == {0, 1}
    assert (found[1][0].pixels.shape, found[1][0].exposure_ms) == ((16, 32), 2.0)


def test_a_change_comes_between_stop_and_start(scope: micromanager.Scope) -> None:
    spy = Spy(scope.core)
    spied = micromanager.Scope(spy)
    frames = spied.live(exposure_ms=2.0).frames(200)
    next(frames)
    spied.set_roi(0, 0, 64, 64)
    before = len(spy.sent)
    taken = [next(frames)]
    while taken[-1].id.segment == 0:
        taken.append(next(frames))
    frames.close()
    assert [name for name in spy.sent[:before] if name != "pop_next_tagged_image"] == [
        "set_exposure",
        "start_sequence_acquisition",
        "stop_sequence_acquisition",
        "set_roi",
    ]
    assert spy.sent[before:] == [
        "set_exposure",
        "start_sequence_acquisition",
        "pop_next_tagged_image",
        "stop_sequence_acquisition",
    ]


def test_a_refused_change_leaves_the_old_settings_in_a_new_segment(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=1.0).frames(20)
    taken = [next(frames)]
    with pytest.raises(SourceError, match="refused a command"):
        scope.set("Camera", "PixelType", "violet")
    with pytest.raises(SourceError, match=r"binning of 3, expected one of 1, .*2"):
        scope.set_binning(3)
    with pytest.raises(SourceError, match="expected a finite one above 0"):
        scope.set_exposure(0.0)
    assert {frame.pixels.shape for frame in (*taken, *frames)} == {(SIZE, SIZE)}


def test_other_devices_change_while_the_camera_runs_on(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=1.0).frames(20)
    taken = [next(frames)]
    scope.set("White Light Shutter", "State", 1)
    assert scope.core.is_sequence_running()
    assert set(segments([*taken, *frames])) == {0}


def test_a_change_behind_our_back_opens_a_segment(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=1.0).frames(40)
    taken = [next(frames)]
    scope.core.set_roi(0, 0, 64, 32)  # Micro-Manager drops what is in the buffer, and the camera stops
    taken += frames
    assert len(taken) == 40
    assert taken[-1].pixels.shape == (32, 64)
    assert taken[-1].id.segment == 1
    assert taken[-1].id.seq > 10


class Restless(Spy):
    """A camera whose ROI something changes whenever it is started."""

    def start_continuous_sequence_acquisition(self, interval_ms: float) -> None:
        self.starts = getattr(self, "starts", 0) + 1
        self._core.set_roi(0, 0, 32 + 8 * (self.starts % 2), 32)


def test_restarts_are_bounded(scope: micromanager.Scope) -> None:
    spied = micromanager.Scope(Restless(scope.core))
    with pytest.raises(SourceError, match="changed 4 times without a frame"):
        next(spied.live(exposure_ms=1.0).frames())
    assert not scope.core.is_sequence_running()


def two_cameras(scope: micromanager.Scope) -> Any:
    core: Any = scope.core
    core.load_device("Other", "DemoCamera", "DCam")
    core.initialize_device("Other")
    for name, value in {"PixelType": "16bit", "OnCameraCCDXSize": str(SIZE), "OnCameraCCDYSize": str(SIZE)}.items():
        scope.set("Other", name, value)
    return core


def check_cameras(frames: list[Frame], segment: int = 0) -> None:
    for label in ("Camera", "Other"):
        mine = [frame for frame in frames if frame.id.camera == label]
        assert [frame.id.seq for frame in mine] == list(range(len(mine)))
        assert {frame.id.segment for frame in mine} == {segment}
        assert len(mine) > 2
    received = [frame.received_ns for frame in frames]
    assert all(a <= b for label in ("Camera", "Other") for a, b in _pairs(frames, label))
    assert min(received) > 0


def _pairs(frames: list[Frame], label: str) -> list[tuple[int, int]]:
    mine = [frame.received_ns for frame in frames if frame.id.camera == label]
    return list(pairwise(mine))


def test_two_cameras_at_once(scope: micromanager.Scope) -> None:
    core = two_cameras(scope)
    source = scope.live_all({"Camera": 2.0, "Other": 4.0}, cameras=["Camera", "Other"])
    assert [spec.camera for spec in source.specs()] == ["Camera", "Other"]
    assert source.spec() == source.specs()[0]
    frames = list(source.frames(40))
    assert len(frames) == 40
    check_cameras(frames)
    assert {(frame.id.camera, frame.exposure_ms) for frame in frames} == {("Camera", 2.0), ("Other", 4.0)}
    endless, taken = source.frames(), []
    for frame in endless:
        taken.append(frame)
        if len(taken) == 20:
            scope.set_exposure(3.0, "Other")
        if len(taken) == 60:
            break
    endless.close()
    assert {frame.exposure_ms for frame in taken if frame.id == taken[-1].id} <= {2.0, 3.0}
    check_cameras([frame for frame in taken if frame.id.segment == 1], 1)
    assert {frame.id.segment for frame in taken} == {1, 2}
    assert not core.is_sequence_running("Camera")
    assert not core.is_sequence_running("Other")


def test_micro_managers_multi_camera_is_taken_apart(scope: micromanager.Scope) -> None:
    core = two_cameras(scope)
    core.load_device("Both", "Utilities", "Multi Camera")
    core.initialize_device("Both")
    scope.set("Both", "Physical Camera 1", "Camera")
    scope.set("Both", "Physical Camera 2", "Other")
    core.set_camera_device("Both")
    with pytest.raises(SourceError, match=r"found 2 cameras in Both, expected one: take them with live_all"):
        scope.live()
    check_cameras(list(scope.live_all(2.0).frames(40)))


def test_cameras_that_do_not_fit_are_refused(scope: micromanager.Scope) -> None:
    two_cameras(scope)
    scope.set("Other", "PixelType", "8bit")
    with pytest.raises(SourceError, match="expected one size and type of all cameras"):
        scope.live_all(cameras=["Camera", "Other"])
    with pytest.raises(SourceError, match="expected one for each of Camera, Other"):
        scope.live_all({"Camera": 1.0}, cameras=["Camera", "Other"])
    with pytest.raises(SourceError, match="Micro-Manager refused"):
        scope.live_all(cameras=["Camera", "Nobody"])


def test_a_slow_reader_of_two_cameras_loses_nothing(scope: micromanager.Scope) -> None:
    core = two_cameras(scope)
    frames = scope.live_all(1.0, cameras=["Camera", "Other"]).frames()
    taken = [next(frames)]
    while core.is_sequence_running("Camera"):
        PAUSE.wait(0.01)
    with pytest.raises(SourceError, match=r"Camera and Other stopped after .* stopped in order"):
        taken.extend(frames)
    check_cameras(taken)
