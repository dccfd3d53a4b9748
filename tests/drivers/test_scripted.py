"""The scripted camera: a source like any other, and its frames as the script says."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.drivers import scripted
from onscope.runtime import FrameId, ManyCameras, OnscopeError, Source, SourceError, open_source, specs_of

from .scripts import SMALL, HandClock, Model, crc, scripts, told, until_it_fails, without_crc
from .source_tests import SourceTests
from .source_tests import given as as_context


class Scripted(SourceTests):
    def make_unknown(self) -> AbstractContextManager[Source]:
        return open_source("scripted:no-such-file.yaml")


class TestScriptedCamera(Scripted):
    def make_source(self) -> AbstractContextManager[Source]:
        return as_context(scripted.camera([scripted.Steady(9, fps=1000, jitter=0.5)], pixel_size_um=0.1))


class TestScriptedUnpaced(Scripted):
    def make_source(self) -> AbstractContextManager[Source]:
        return as_context(scripted.camera([scripted.Steady(9, fps=1)], paced=False, axes="yxs", dtype="uint8"))


class TestScriptedBurst(Scripted):
    def make_source(self) -> AbstractContextManager[Source]:
        return as_context(scripted.camera([scripted.Burst(9)], dtype="float32", buffer=2))


class TestScriptedByName(Scripted):
    def make_source(self) -> AbstractContextManager[Source]:
        return open_source("scripted:fps=1000,n=9,size=64x32")


def small(script: list[Any], **more: Any) -> scripted.ScriptedCamera:
    return scripted.camera(script, **{"shape": SMALL, "name": "cam", "paced": False, **more})


@settings(deadline=None, max_examples=200)
@given(scripts, st.integers(0, 3))
def test_any_script_gives_what_a_plain_model_of_it_says(script: list[Any], seed: int) -> None:
    one, again, model = small(script, seed=seed), small(script, seed=seed), Model(script)
    for _ in range(3):
        assert one.spec() == again.spec()
        frames, error = until_it_fails(one.frames())
        expected, message = model.play()
        assert without_crc(frames) == expected
        assert message in error
        assert bool(message) == bool(error)
        assert [one.crc(frame.id) for frame in frames] == [crc(frame) for frame in frames]
        repeated, _ = until_it_fails(again.frames())
        assert [told(frame) for frame in repeated] == [told(frame) for frame in frames]
    assert one.tally.dropped == 0


@settings(deadline=None, max_examples=100)
@given(scripts, st.integers(0, 40))
def test_frames_that_are_asked_for_are_the_first_ones(script: list[Any], n: int) -> None:
    all_of_them, _ = until_it_fails(small(script).frames())
    camera = small(script)
    some, _ = until_it_fails(camera.frames(n))
    assert [told(frame) for frame in some] == [told(frame) for frame in all_of_them[:n]]
    assert camera.tally.given == len(some)


@settings(deadline=None, max_examples=100)
@given(scripts)
def test_the_spec_is_that_of_the_frames(script: list[Any]) -> None:
    camera = small(script)
    before = camera.spec()
    frames = camera.frames()
    first = True
    try:
        for frame in frames:
            if first and not any(isinstance(step, scripted.Change) for step in script):
                assert before == camera.spec()
            first = False
            camera.spec().check(frame.pixels)
    except SourceError:
        pass


def test_the_spec_before_the_first_frame_looks_ahead() -> None:
    camera = small([scripted.Change(shape=(20, 30)), scripted.Burst(1), scripted.Change(dtype="uint8"),
                    scripted.Burst(1), scripted.Fail(), scripted.Change(axes="yxs"), scripted.Burst(1)])  # fmt: skip
    assert camera.spec().shape == (20, 30)
    frames, error = until_it_fails(camera.frames())
    assert [frame.pixels.dtype for frame in frames] == ["uint16", "uint8"]
    assert "unplugged" in error
    assert camera.spec().shape == (20, 30, 3)
    (frame,) = camera.frames()
    camera_again = camera.spec()
    assert frame.pixels.shape == (20, 30, 3)
    assert camera_again.shape == (20, 30)


@settings(deadline=None, max_examples=100)
@given(scripts)
def test_moments_are_the_scripts(script: list[Any]) -> None:
    """Steady frames come within their interval, in order; two cameras with one seed agree to the nanosecond."""
    clocks = HandClock(), HandClock()
    played = [until_it_fails(small(script, paced=True, clock=clock).frames())[0] for clock in clocks]
    received = [[frame.received_ns for frame in frames] for frames in played]
    assert received[0] == received[1] == sorted(received[0])
    began_ns, came = 1_000.0, iter(received[0])
    for step in script:
        match step:
            case scripted.Pause():
                began_ns += step.ms * 1e6
            case scripted.Fail():
                break
            case scripted.Steady() | scripted.Burst():
                interval_ns = 0 if step.fps is None else 1e9 / step.fps
                jitter_ns = interval_ns * getattr(step, "jitter", 0)
                for number in range(1, (step.n or 0) + 1):
                    latest_ns = began_ns + number * interval_ns
                    assert latest_ns - jitter_ns - 1 <= next(came) <= latest_ns + 1
                began_ns += (step.n or 0) * interval_ns
    assert next(came, None) is None


def test_real_time_is_kept_to_the_nanosecond() -> None:
    frames = list(
        scripted.camera([scripted.Steady(20, fps=1000), scripted.Pause(3), scripted.Burst(20, 2000)]).frames()
    )
    assert np.diff([frame.received_ns for frame in frames]).tolist() == [1_000_000] * 19 + [3_500_000] + [500_000] * 19


def test_every_frame_has_pixels_of_its_own() -> None:
    frames = list(small([scripted.Burst(600), scripted.Restart(), scripted.Burst(600)]).frames())
    assert len({crc(frame) for frame in frames}) == 1200
    others = small([scripted.Burst(3)], name="other"), small([scripted.Burst(3)], seed=2)
    assert not {crc(frame) for frame in frames} & {crc(frame) for other in others for frame in other.frames()}
    (first, *rest) = scripted.camera([scripted.Burst(12)], paced=False).frames()
    for frame in rest:  # a torn frame, the head of one and the tail of another, is none of them
        assert (frame.pixels != first.pixels).any(axis=1).all()
    assert 100 <= np.median(first.pixels) < 1124


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("shape", "axes"), [((4, 4), "yx"), ((1, 17), "yxs"), ((129, 65), "yx")])
def test_checksums_of_odd_frames(dtype: str, shape: tuple[int, int], axes: str) -> None:
    camera = scripted.camera([scripted.Burst(300)], shape=shape, dtype=dtype, axes=axes, paced=False)
    for frame in camera.frames():
        assert crc(frame) == camera.crc(frame.id)
        assert np.isfinite(frame.pixels).all()


def test_checksums_of_frames_that_were_not_given() -> None:
    camera = small([scripted.Burst(1)])
    with pytest.raises(SourceError, match="expected one that the camera 'cam' has given"):
        camera.crc(FrameId("run", "cam", 0, 0))
    (frame,) = camera.frames()
    with pytest.raises(SourceError, match="expected one that"):
        camera.crc(frame.id._replace(camera="another"))


def test_binning_divides_the_frame_and_widens_its_pixels() -> None:
    camera = scripted.camera(
        [scripted.Burst(1), scripted.Change(binning=2), scripted.Burst(1), scripted.Change(binning=1, shape=(32, 32)),
         scripted.Burst(1)], shape=(64, 48), pixel_size_um=0.1, paced=False,
    )  # fmt: skip
    found = [(frame.pixels.shape, frame.pixel_size_um) for frame in camera.frames()]
    assert found == [((64, 48), 0.1), ((32, 24), 0.2), ((32, 32), 0.1)]


def test_a_camera_that_runs_cannot_be_started_again() -> None:
    camera = small([scripted.Burst(5)])
    with closing(camera.frames()) as frames:
        next(frames)
        with pytest.raises(SourceError, match="already running"):
            next(camera.frames())
        assert next(frames).id.seq == 1
    assert len(list(camera.frames())) == 5


class TestManyCameras:
    def two(self, **more: Any) -> scripted.ScriptedCameras:
        slow = small([scripted.Steady(4, fps=100)], name="slow", dtype="uint8", **more)
        fast = small([scripted.Pause(5), scripted.Steady(6, fps=200)], name="fast", **more)
        return scripted.cameras([slow, fast])

    def test_is_a_source_of_many(self) -> None:
        both = self.two()
        assert isinstance(both, ManyCameras)
        assert [(spec.camera, spec.dtype) for spec in specs_of(both)] == [("slow", "uint8"), ("fast", "uint16")]
        assert both.spec() == both.specs()[0]

    @pytest.mark.parametrize("paced", [True, False])
    def test_frames_come_in_the_order_of_their_moments(self, paced: bool) -> None:
        both = self.two(paced=paced, clock=HandClock())
        frames = list(both.frames())
        names = ["slow", *["fast", "fast", "slow"] * 3]  # at 10; 10, 15, 20; 20, 25, 30; 30, 35, 40 ms
        assert [frame.id.camera for frame in frames] == names
        assert len({frame.id.run for frame in frames}) == 1
        assert all(both.crc(frame.id) == crc(frame) for frame in frames)
        received = [frame.received_ns for frame in frames]
        assert received == sorted(received)
        assert len(list(both.frames(3))) == 3

    @settings(deadline=None, max_examples=100)
    @given(st.lists(scripts, min_size=2, max_size=3), st.booleans())
    def test_each_camera_gives_what_it_gives_alone(self, several: list[list[Any]], paced: bool) -> None:
        clock = HandClock()
        both = scripted.cameras([small(s, name=f"cam{k}", paced=paced, clock=clock) for k, s in enumerate(several)])
        frames, error = until_it_fails(both.frames())
        received = [frame.received_ns for frame in frames]
        assert received == sorted(received)
        for k, script in enumerate(several):
            alone, _ = until_it_fails(small(script, name=f"cam{k}").frames())
            mine = [told(frame) for frame in frames if frame.id.camera == f"cam{k}"]
            assert mine == [told(frame) for frame in alone][: len(mine)]
            assert error or len(mine) == len(alone)

    def test_they_must_be_told_apart(self) -> None:
        for several in ([], [small([]), small([])], [small([], name="a"), small([], name="b", paced=True)]):
            with pytest.raises(SourceError, match=r"found the cameras .*expected "):
                scripted.cameras(several)
        with pytest.raises(SourceError, match="expected one of the cameras slow, fast"):
            self.two().crc(FrameId("run", "third", 0, 0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: scripted.Steady(0, fps=10),
        lambda: scripted.Steady(1.5, fps=10),  # type: ignore[arg-type]
        lambda: scripted.Steady(5, fps=0),
        lambda: scripted.Steady(5, fps=float("nan")),
        lambda: scripted.Steady(5, fps=None),  # type: ignore[arg-type]
        lambda: scripted.Steady(5, fps=10, jitter=1.5),
        lambda: scripted.Burst(None),  # type: ignore[arg-type]
        lambda: scripted.Burst(-1),
        lambda: scripted.Pause(-1),
        lambda: scripted.Pause(float("inf")),
        lambda: scripted.Drop(0),
        lambda: scripted.Change(shape=(512,)),  # type: ignore[arg-type]
        lambda: scripted.Change(shape=(3, 3)),
        lambda: scripted.Change(exposure_ms=0),
        lambda: scripted.Change(binning=0),
        lambda: scripted.Move(position=-1),
        lambda: scripted.Move(channel=""),
        lambda: scripted.Move(z="top"),  # type: ignore[arg-type]
        lambda: scripted.Move(stage_um=(1, 2)),  # type: ignore[arg-type]
        lambda: scripted.Fail(5),  # type: ignore[arg-type]
        lambda: small([scripted.Change(dtype="int16")]),
        lambda: small([scripted.Change(axes="xy")]),
        lambda: small([scripted.Change(binning=4)]),
        lambda: small([scripted.Steady(None, fps=10), scripted.Burst(1)]),
        lambda: small(["burst"]),
        lambda: small([], shape=(0, 5)),
        lambda: small([], dtype="float64"),
        lambda: small([], buffer=0),
        lambda: small([], on_overflow="wait"),
        lambda: small([], seed=-1),
        lambda: small([], name=""),
    ],
)
def test_what_cannot_be_played_is_a_sentence(make: Any) -> None:
    with pytest.raises(OnscopeError, match=r"found .*expected "):
        make()
