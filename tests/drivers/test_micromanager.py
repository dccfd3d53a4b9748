"""Micro-Manager through a real core: live sequences, how they end, and the order of hardware commands."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager

import numpy as np
import pytest

from onscope.drivers import micromanager
from onscope.runtime import FrameId, FrameSpec, Source, SourceError

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


def test_a_camera_that_stops_by_itself_is_noticed(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=2.0).frames()
    next(frames)
    scope.core.stop_sequence_acquisition()
    with pytest.raises(SourceError, match=r"stopped after .* by itself"):
        for _ in frames:
            pass


def test_an_endless_sequence_that_overruns_its_buffer_shows_a_jump(scope: micromanager.Scope) -> None:
    frames = scope.live(exposure_ms=0.1, on_full="overwrite").frames()
    last = next(frames).id.seq
    free = scope.core.get_buffer_total_capacity()
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
