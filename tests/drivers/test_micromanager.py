"""Micro-Manager through a real core: live sequences, how they end, and the order of hardware commands."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.drivers import micromanager
from onscope.runtime import Frame, FrameId, FrameSpec, Source, SourceError

from .source_tests import SourceTests

SIZE = 128


class TestLive(SourceTests):
    def make_source(self) -> AbstractContextManager[Source]:
        return micromanager.source("demo", exposure_ms=2.0, buffer_mb=16)

    def make_unknown(self) -> AbstractContextManager[Source]:
        return micromanager.source("nowhere.cfg")


class TestDemoSource(SourceTests):
    def make_source(self) -> AbstractContextManager[Source]:
        return micromanager.demo_source(size=SIZE, exposure_ms=2.0, buffer_mb=8)

    def make_unknown(self) -> AbstractContextManager[Source]:
        return micromanager.demo_source("nothing")


@pytest.fixture
def scope() -> Iterator[micromanager.Scope]:
    with micromanager.demo(size=SIZE, buffer_mb=4) as scope:
        yield scope


class Spy:
    """The real core, with the commands that were sent to it in the order they were sent."""

    WATCHED = ("set_", "start_", "stop_", "pop_")

    def __init__(self, core: Any) -> None:
        self.sent: list[str] = []
        self._core = core

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._core, name)
        if not name.startswith(self.WATCHED):
            return method

        def command(*args: Any) -> Any:
            self.sent.append(name)
            return method(*args)

        return command


def test_the_demo_is_what_it_says(scope: micromanager.Scope) -> None:
    source = scope.live(exposure_ms=2.0)
    assert source.spec() == FrameSpec((SIZE, SIZE), "uint16", "yx", "Camera", 1.0, 16)
    frames = list(source.frames(3))
    assert [frame.id for frame in frames] == [FrameId(source.run, "Camera", 0, seq) for seq in range(3)]
    assert [dict(frame.index) for frame in frames] == [{"t": 0}, {"t": 1}, {"t": 2}]
    assert frames[0].exposure_ms == 2.0
    assert frames[0].stage_um == (0.0, 0.0, 0.0)
    assert frames[0].pixels.max() > 100
    np.testing.assert_array_equal(frames[0].pixels, frames[2].pixels)  # still and free of noise


def test_several_demos_one_after_the_other_leave_nothing_behind() -> None:
    threads = set(threading.enumerate())
    for _ in range(3):
        with micromanager.demo(size=SIZE, buffer_mb=8) as scope:
            assert len(list(scope.live(exposure_ms=1.0).frames(2))) == 2
    with pytest.raises(ZeroDivisionError):
        _fail_while_live()
    with micromanager.demo(size=SIZE, buffer_mb=8) as scope:
        assert len(list(scope.live(exposure_ms=1.0).frames(2))) == 2
    assert set(threading.enumerate()) <= threads


def _fail_while_live() -> None:
    with micromanager.demo(size=SIZE, buffer_mb=8) as scope:
        frames = scope.live(exposure_ms=1.0).frames()
        next(frames)
        raise ZeroDivisionError


def test_there_is_one_core_at_a_time(scope: micromanager.Scope) -> None:
    with pytest.raises(SourceError, match="there can be one"):
        micromanager.demo()
    assert len(list(scope.live(exposure_ms=1.0).frames(1))) == 1


def test_someone_elses_core_is_left_running(scope: micromanager.Scope) -> None:
    with micromanager.Scope(scope.core) as borrowed:
        assert len(list(borrowed.live(exposure_ms=1.0).frames(1))) == 1
    assert len(list(scope.live(exposure_ms=1.0).frames(1))) == 1


def test_commands_of_an_endless_sequence_are_in_order(scope: micromanager.Scope) -> None:
    spy = Spy(scope.core)
    frames = micromanager.Scope(spy).live(exposure_ms=2.0, buffer_mb=8).frames()
    assert spy.sent == []
    next(frames)
    next(frames)
    frames.close()
    assert spy.sent == [
        "set_circular_buffer_memory_footprint",
        "set_exposure",
        "start_continuous_sequence_acquisition",
        "pop_next_tagged_image",
        "pop_next_tagged_image",
        "stop_sequence_acquisition",
    ]
    assert not scope.core.is_sequence_running()


def test_commands_of_a_finite_sequence_are_in_order(scope: micromanager.Scope) -> None:
    spy = Spy(scope.core)
    list(micromanager.Scope(spy).live(exposure_ms=2.0).frames(2))
    assert spy.sent == [
        "set_exposure",
        "start_sequence_acquisition",
        "pop_next_tagged_image",
        "pop_next_tagged_image",
        "stop_sequence_acquisition",
    ]


def test_the_stage_walks_between_frames_and_goes_back(scope: micromanager.Scope) -> None:
    spy = Spy(scope.core)
    spied = micromanager.Scope(spy)
    walk = micromanager.StageWalk(spied.live(exposure_ms=2.0), spied, seed=3, step_um=1.0)

    def walked() -> list[Any]:
        places = []
        for frame in walk.frames(3):
            places.append(frame.stage_um)
            scope.wait_stage()  # a stage on its way would keep its next step waiting
        return places

    places = walked()
    assert spy.sent == [
        "set_exposure",
        "start_sequence_acquisition",
        "pop_next_tagged_image",
        "set_relative_xy_position",
        "pop_next_tagged_image",
        "set_relative_xy_position",
        "pop_next_tagged_image",
        "set_relative_xy_position",
        "stop_sequence_acquisition",
        "set_relative_xy_position",
    ]
    assert len(set(places)) == 3
    x, y, _ = scope.read_stage() or (None, None, None)
    assert (x, y) == pytest.approx((0.0, 0.0), abs=0.02)  # the demo stage knows multiples of 0.015 um
    np.testing.assert_allclose(np.array(walked()), np.array(places), atol=0.02)  # seeded


def test_a_walk_stays_in_its_range(scope: micromanager.Scope) -> None:
    walk = micromanager.StageWalk(scope.live(exposure_ms=1.0), scope, step_um=1.0, range_um=1.5)
    places = np.array([frame.stage_um for frame in walk.frames(60)])
    assert np.abs(places).max() <= 1.5 + 1e-6
    assert np.abs(np.diff(places, axis=0)).max() <= 1.0 + 1e-6
    assert places[:, 0].std() > 0.1


def test_a_changed_roi_ends_a_live_sequence_and_opens_another_segment(scope: micromanager.Scope) -> None:
    source = scope.live(exposure_ms=2.0)
    frames = source.frames()
    next(frames)
    scope.set_roi(0, 0, 64, 32)
    with pytest.raises(SourceError, match=r"now gives 32x64 uint16, expected 128x128 uint16.*frames\(\) again"):
        for _ in frames:
            pass
    assert source.spec().shape == (32, 64)
    after = list(source.frames(2))
    assert [frame.id.segment for frame in after] == [1, 1]
    assert after[0].pixels.shape == (32, 64)


def test_a_camera_that_stops_by_itself_is_noticed(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=2.0).frames()
    next(frames)
    scope.core.stop_sequence_acquisition()
    with pytest.raises(SourceError, match=r"stopped after .* by itself"):
        for _ in frames:
            pass


def test_a_finite_sequence_whose_buffer_is_full_gives_what_it_has_and_says_so(scope: micromanager.Scope) -> None:
    capacity = 4 * 2**20 // (SIZE * SIZE * 2)
    frames = scope.live(exposure_ms=0.1).frames(10 * capacity)
    taken = [next(frames)]
    while not scope.core.is_buffer_overflowed():
        threading.Event().wait(0.01)
    with pytest.raises(SourceError, match="buffer of 4 MB was full"):
        _take(frames, taken)
    assert [frame.id.seq for frame in taken] == list(range(len(taken)))
    assert len(taken) > capacity // 2


def _take(frames: Iterator[Frame], taken: list[Frame]) -> None:
    for frame in frames:
        taken.append(frame)


def test_an_endless_sequence_that_overruns_its_buffer_shows_a_jump(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=0.1).frames()
    last = next(frames).id.seq
    free = scope.core.get_buffer_total_capacity()  # type: ignore[attr-defined]
    most, deepest = 0, scope.core.get_remaining_image_count()
    while deepest >= most or most < free // 2:  # until the buffer was emptied by the core
        most, deepest = max(most, deepest), scope.core.get_remaining_image_count()
    for frame in frames:
        if frame.id.seq > last + 1:
            break
        last = frame.id.seq
    frames.close()
    assert frame.id.seq > last + 1


def test_closing_the_scope_ends_a_live_sequence() -> None:
    with micromanager.demo(size=SIZE, buffer_mb=8) as scope:
        frames = scope.live(exposure_ms=2.0).frames()
        next(frames)
    with pytest.raises(SourceError, match="its scope was closed"):
        next(frames)
    with pytest.raises(SourceError, match="found the scope closed"):
        scope.live()


def test_two_sequences_of_one_camera_are_refused(scope: micromanager.Scope) -> None:
    source = scope.live(exposure_ms=2.0)
    first = source.frames()
    next(first)
    with pytest.raises(SourceError, match="already running"):
        next(source.frames())
    next(first)
    first.close()


@pytest.mark.parametrize(
    ("pixel_type", "dtype", "axes"),
    [
        ("8bit", "uint8", "yx"),
        ("16bit", "uint16", "yx"),
        ("32bit", "float32", "yx"),
        ("32bitRGB", "uint8", "yxs"),
        ("64bitRGB", "uint16", "yxs"),
    ],
)
def test_every_pixel_type_of_the_demo_camera(scope: micromanager.Scope, pixel_type: str, dtype: str, axes: str) -> None:
    scope.set("Camera", "PixelType", pixel_type)
    scope.set("Camera", "Mode", "Color Test Pattern" if axes == "yxs" else "Artificial Waves")
    source = scope.live(exposure_ms=1.0)
    spec = source.spec()
    assert (spec.dtype, spec.axes) == (dtype, axes)
    for frame in source.frames(2):
        spec.check(frame.pixels)
        assert frame.axes == axes


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda scope: scope.live(camera="Nobody"), "Nobody"),
        (lambda scope: scope.live(exposure_ms=0), "above 0"),
        (lambda scope: scope.set("Camera", "Mode", "Nonsense"), "refused a command"),
        (lambda scope: scope.set_roi(-5, 0, 0, 0), "found a ROI of 0x0"),
    ],
)
def test_what_the_hardware_refuses_is_said(scope: micromanager.Scope, call: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        call(scope)


GOOD = """Property,Core,Initialize,0
Device,Camera,DemoCamera,DCam
Property,Core,Initialize,1
Property,Core,Camera,Camera
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Propety,Core,Camera,Camera", "found 'Propety' in line 5 of .*broken.cfg.*write 'Property'"),
        ("Device,Camera", "found 2 fields in line 5 of .*broken.cfg, expected at least 4 for Device"),
        ("Device,Other,NoSuchLibrary,Thing", "cannot load .*broken.cfg .*Line 5: Device,Other,NoSuchLibrary,Thing"),
    ],
)
def test_a_broken_configuration_is_named_by_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "broken.cfg"
    path.write_text(GOOD + line + "\n")
    with pytest.raises(SourceError, match=message):
        micromanager.open(path, buffer_mb=8)
    path.write_text(GOOD)
    with micromanager.open(path, buffer_mb=8) as scope:
        assert scope.stage_um is None
        assert next(scope.live(exposure_ms=1.0).frames(1)).stage_um is None


def test_without_micro_manager_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pycromanager", "mm_test_adapters"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)  # as if it were not installed
            with pytest.raises(SourceError, match=rf"found no {name}.*pip install 'onscope\[micromanager\]'"):
                micromanager.demo()


def test_a_configuration_without_a_camera(tmp_path: Path) -> None:
    path = tmp_path / "empty.cfg"
    path.write_text("# nothing\n")
    with micromanager.open(path, buffer_mb=8) as scope, pytest.raises(SourceError, match="found no camera"):
        scope.live()


@pytest.mark.real_data
def test_configurations_of_real_microscopes(shared_data: Path) -> None:
    with micromanager.open(shared_data / "mm_cfg" / "pymmcoreplus_local_config.cfg", buffer_mb=8) as scope:
        assert len(list(scope.live(exposure_ms=1.0).frames(1))) == 1
    with pytest.raises(SourceError, match=r"cannot load .*Line 7: Device,/dev/ttyACM0"):
        micromanager.open(shared_data / "mm_cfg" / "shrimpy_Squid_Oryx_Linux.cfg")
