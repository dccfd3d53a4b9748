"""The mounted microscope as a source: live frames, results, hooks, and what is said when something goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import useq

from onscope.drivers import specimen
from onscope.runtime import Runtime, Source, SourceError, block
from tests import models

from .source_tests import SourceTests
from .specimens import QUICK, SIZE, Broken, even_light, one_bead, popped


class TestLive(SourceTests):
    """`live()` of a specimen is a source like any other."""

    def make_source(self) -> AbstractContextManager[Source]:
        return self._live()

    def make_unknown(self) -> AbstractContextManager[Source]:
        return self._live("Nothing")

    @contextmanager
    def _live(self, camera: str | None = None) -> Iterator[Source]:
        with specimen.open(one_bead(), hardware=QUICK, buffer_mb=16) as scope:
            yield scope.live(2.0, camera=camera)


@pytest.fixture
def scope() -> Iterator[specimen.SpecimenScope]:
    with specimen.open(one_bead(), hardware=QUICK, buffer_mb=16) as scope:
        yield scope


def runtime(folder: Path) -> Runtime:
    """Adds 1 to every pixel, in a thread; every frame is taken."""
    return Runtime(models.pipeline(folder), worker="thread", admission=block(4))


def test_frames_know_what_the_microscope_knows(scope: specimen.SpecimenScope) -> None:
    scope.core.set_relative_xy_position(20.0, -10.0)
    scope.wait_stage()
    scope.read_stage()
    (frame,) = scope.live(5.0).frames(1)
    assert frame.pixels.shape == (SIZE, SIZE)
    assert frame.pixel_size_um == pytest.approx(6.5 / 60)
    assert frame.exposure_ms == 5.0
    assert frame.stage_um == (70.0, 40.0, 0.0)


def test_changes_on_the_way_open_segments(scope: specimen.SpecimenScope) -> None:
    live = scope.live(2.0)
    frames = live.frames()
    seen: list[tuple[int, tuple[int, ...], str, float | None]] = []

    def take() -> None:
        frame = next(frames)
        while seen and frame.id.segment == seen[-1][0]:
            frame = next(frames)
        seen.append((frame.id.segment, frame.pixels.shape, str(frame.pixels.dtype), frame.pixel_size_um))

    take()
    scope.set_roi(8, 4, 32, 16)
    take()
    scope.set_binning(2)
    take()
    scope.set("Camera", "PixelType", "8bit")
    take()
    scope.set("Objective", "Label", "Plan Apo 20x 0.75")
    take()
    frames.close()
    assert [one[0] for one in seen] == list(range(5))
    assert [one[1] for one in seen] == [(64, 64), (16, 32), (32, 32), (32, 32), (32, 32)]
    assert [one[2] for one in seen] == ["uint16"] * 3 + ["uint8"] * 2
    sizes = [one[3] for one in seen if one[3] is not None]
    assert np.array(sizes) * 60 / 6.5 == pytest.approx([1, 1, 2, 2, 6])


def test_a_change_that_does_not_fit_is_told_and_the_camera_goes_on(scope: specimen.SpecimenScope) -> None:
    frames = scope.live(2.0).frames()
    next(frames)
    with pytest.raises(SourceError, match=r"refused a command \(found a ROI of 100 x 100 pixels at column 0"):
        scope.set_roi(0, 0, 100, 100)
    with pytest.raises(SourceError, match="found a binning of 3, expected one of 1, 2, 4"):
        scope.set_binning(3)
    with pytest.raises(SourceError, match="found x = 1050 um for XY, expected 0 to 100"):
        scope.move_xy(1000.0, 0.0)
    assert next(frames).pixels.shape == (SIZE, SIZE)
    frames.close()


def test_a_camera_that_another_stops_says_so(scope: specimen.SpecimenScope) -> None:
    frames = scope.live(2.0).frames(1000)
    next(frames)
    scope.mmc.stopSequenceAcquisition()
    with pytest.raises(
        SourceError, match=r"found that Camera stopped after \d+ frames? of 1000 by itself, expected it"
    ):
        list(frames)


def test_a_scene_that_fails_says_so() -> None:
    with specimen.open(Broken(extent_um=(100.0, 100.0)), hardware=QUICK) as scope:
        frames = scope.live(2.0).frames(10)
        assert [next(frames).id.seq for _ in range(3)] == [0, 1, 2]
        with pytest.raises(SourceError, match=r"refused Camera \(found that the scene before Camera failed"):
            next(frames)


def test_frames_that_are_not_taken_end_in_order() -> None:
    with specimen.open(one_bead(), hardware=QUICK, buffer_mb=1) as scope:
        frames = scope.live(1.0).frames()
        taken = [next(frames)]
        for _ in range(3000):
            if not scope.core.is_sequence_running():
                break
            threading.Event().wait(0.01)
        with pytest.raises(SourceError, match="because Micro-Manager's buffer of 1 MB was 90% full and was stopped"):
            taken.extend(frames)
        assert [frame.id.seq for frame in taken] == list(range(len(taken)))
        assert len(taken) > 100  # of the 128 that it holds


def test_the_live_camera_streams(scope: specimen.SpecimenScope, tmp_path: Path) -> None:
    with runtime(tmp_path) as it:
        results = list(it.stream(scope.live(5.0), n=20))
        assert [result.frame.id.seq for result in results] == list(range(20))
        assert all((result["plus"] == result.frame.pixels + 1).all() for result in results)
        assert it.ledger.reasons == {"done": 20}


def test_an_acquisition_of_pymmcore_plus_is_attached(scope: specimen.SpecimenScope, tmp_path: Path) -> None:
    sequence = useq.MDASequence.model_validate(
        {"time_plan": {"interval": 0, "loops": 3}, "channels": ["DAPI", "FITC"], "axis_order": "tpcz"}
    )
    with runtime(tmp_path) as it:
        results = it.subscribe(block(9))
        with it.attach(scope.mmc):
            scope.mmc.mda.run(sequence)
        assert it.drain(20)
        got = [result for _ in range(6) if (result := results.take(1))]
    assert [dict(result.frame.index) for result in got] == [{"t": t, "c": c} for t in range(3) for c in range(2)]
    assert [result.frame.labels["c"] for result in got] == ["DAPI", "FITC"] * 3
    assert all(result.frame.pixel_size_um == pytest.approx(6.5 / 60) for result in got)
    assert all((result["plus"] == result.frame.pixels + 1).all() for result in got)


def test_a_runtime_is_a_hook_of_pycromanager(scope: specimen.SpecimenScope, tmp_path: Path) -> None:
    from pycromanager import Acquisition, multi_d_acquisition_events

    with runtime(tmp_path / "models") as it:
        results = it.subscribe(block(9))
        with Acquisition(str(tmp_path), "a", image_process_fn=it.image_process_fn, show_display=False) as acquisition:
            acquisition.acquire(
                multi_d_acquisition_events(
                    num_time_points=3, time_interval_s=0, channel_group="Channel", channels=["DAPI", "FITC"]
                )
            )
        assert it.drain(20)
        got = [result for _ in range(6) if (result := results.take(1))]
    assert [dict(result.frame.index) for result in got] == [{"t": t, "c": c} for t in range(3) for c in range(2)]
    assert {result.frame.labels["c"] for result in got} == {"DAPI", "FITC"}
    assert all((result["plus"] == result.frame.pixels + 1).all() for result in got)


def test_the_truth_of_a_live_frame_can_be_asked_for() -> None:
    scene = even_light()
    with specimen.open(scene, hardware=QUICK) as scope:
        scope.mmc.startSequenceAcquisition(3, 0, True)
        for image, tags in popped(scope.mmc, 3):
            truth: Any = scene.truth(int(tags["SpecimenExposure"]))
            assert image.mean() == pytest.approx(truth.mean(), abs=1)
