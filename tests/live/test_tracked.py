"""Tracks in a running pipeline: by place, over gaps, and over the death of the worker."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import (
    Event,
    Frame,
    FrameId,
    FrameSpec,
    Measure,
    Pipeline,
    PipelineError,
    Stage,
    Track,
    block,
)
from tests.live.test_hosted import SPEC, Make, frame, run, scene
from tests.live.test_labels import circles


def tracked(folder: Path, **settings: Any) -> Pipeline:
    stages = [
        Stage("nuclei", circles(folder / "circles")),
        Measure("cells", of="nuclei"),
        Track("tracks", of="cells", **({"max_distance": 10, "gap": 2} | settings)),
    ]
    return Pipeline(stages)


def of(results: list[Any], y: int) -> list[int]:
    """The tracks of the object near the line y, by frame."""
    return [int(result["tracks"]["track"][np.argmin(np.abs(result["tracks"]["y"] - y))]) for result in results]


@pytest.mark.parametrize("worker", ["thread", "process"])
def test_objects_keep_their_tracks(runtime: Make, tmp_path: Path, worker: str) -> None:
    it = runtime(tracked(tmp_path), SPEC, worker=worker, admission=block(4))
    # The one below is the larger one at first, and the smaller one later: its label changes, its track does not.
    results = run(it, [frame(n, (20, 20 + 4 * n, 8 + n), (52, 60 - 4 * n, 13 - n)) for n in range(6)])
    assert of(results, 20) == [of(results, 20)[0]] * 6
    assert of(results, 52) == [of(results, 52)[0]] * 6
    assert sorted(set(of(results, 20) + of(results, 52))) == [1, 2]
    last = results[-1]["tracks"]
    assert last.dtype["track"] == np.int64
    assert list(last["age"]) == [5, 5]
    assert [result.state_reset for result in results] == [True] + [False] * 5
    assert np.array_equal(last["y"], results[-1]["cells"]["y"][last["row"]])


def test_lost_frames_are_gaps_by_their_numbers(runtime: Make, tmp_path: Path) -> None:
    it = runtime(tracked(tmp_path, gap=2), SPEC, admission=block(4))
    results = run(it, [frame(n, (30, 30, 9)) for n in (0, 1, 4, 8, 9)])
    assert of(results, 30) == [1, 1, 1, 2, 2]
    assert [int(result["tracks"]["missed"][0]) for result in results] == [0, 0, 2, 0, 0]


def test_places_have_tracks_of_their_own_and_no_number_twice(runtime: Make, tmp_path: Path) -> None:
    it = runtime(tracked(tmp_path), SPEC, admission=block(4))
    frames = [frame(n, (30, 30 + n // 2, 9), index={"p": n % 2}) for n in range(8)]
    results = run(it, frames)
    assert of(results, 30) == [1, 2] * 4
    assert not any(result["tracks"]["missed"].any() for result in results)
    assert [result.state_reset for result in results] == [True, True] + [False] * 6


def test_a_moved_stage_begins_anew(runtime: Make, tmp_path: Path) -> None:
    it = runtime(tracked(tmp_path), SPEC, admission=block(4))
    places = [(0.0, 0.0), (0.1, 0.0), (40.0, 0.0), (40.0, 0.0)]
    results = run(it, [frame(n, (30, 30, 9), stage_um=at) for n, at in enumerate(places)])
    assert of(results, 30) == [1, 1, 2, 2]


def test_sampled_frames_are_no_gaps(runtime: Make, tmp_path: Path) -> None:
    it = runtime(tracked(tmp_path, gap=0), SPEC, admission=block(every_n=5))
    results = run(it, [frame(n, (30, 30 + n // 5, 9)) for n in range(20)])
    assert of(results, 30) == [1, 1, 1, 1]


def test_a_failed_frame_is_a_gap(runtime: Make, tmp_path: Path) -> None:
    it = runtime(tracked(tmp_path, gap=1), SPEC, admission=block(4))
    frames = [frame(n, (30, 30, 9)) for n in range(4)]
    broken = scene((30, 30, 9))
    broken[0, 0] = np.nan
    frames[2] = Frame(FrameId("run", "cam", 0, 2), broken, pixel_size_um=0.5)
    results = run(it, frames)
    assert [result.frame.id.seq for result in results] == [0, 1, 3]
    assert of(results, 30) == [1, 1, 1]
    assert int(results[-1]["tracks"]["missed"][0]) == 1


def test_numbers_go_on_when_the_worker_was_killed(runtime: Make, tmp_path: Path, events: list[Event]) -> None:
    it = runtime(tracked(tmp_path), SPEC, worker="process", admission=block(4))
    results = it.subscribe(block(64))
    found: list[Any] = []

    def feed(numbers: range) -> None:
        for n in numbers:
            it.submit(frame(n, (20, 20, 9), (52, 60, 12)))
            found.append(next(iter(results)))

    feed(range(3))
    os.kill(it.worker_pid, signal.SIGKILL)
    while not any(event.kind == "worker back" for event in events):
        time.sleep(0.02)
    feed(range(3, 6))
    it.close()
    assert of(found, 20)[:3] == [of(found, 20)[0]] * 3
    assert {*of(found, 20)[:3], *of(found, 52)[:3]} == {1, 2}
    assert {*of(found, 20)[3:], *of(found, 52)[3:]} == {3, 4}
    assert [result.state_reset for result in found] == [True, False, False, True, False, False]


def test_two_cameras_share_the_numbers(runtime: Make, tmp_path: Path) -> None:
    it = runtime(tracked(tmp_path), SPEC, admission=block(4))
    other = FrameSpec(SPEC.shape, SPEC.dtype, camera="other", pixel_size_um=0.5)
    it.prepare(other)
    frames = [frame(0, (30, 30, 9)), Frame(FrameId("run", "other", 0, 0), scene((30, 30, 9)), pixel_size_um=0.5)]
    results = run(it, [*frames, frame(1, (30, 30, 9))])
    by_camera = {(result.frame.id.camera, result.frame.id.seq): result["tracks"]["track"][0] for result in results}
    assert by_camera["cam", 0] == by_camera["cam", 1] != by_camera["other", 0]
    assert {int(number) for number in by_camera.values()} == {1, 2}


def test_distances_in_micrometres_need_a_pixel_size(runtime: Make, tmp_path: Path) -> None:
    it = runtime(tracked(tmp_path, max_distance=None, max_distance_um=3), None)
    with pytest.raises(PipelineError, match="expected one for distances in um"):
        it.prepare(FrameSpec(SPEC.shape, SPEC.dtype, camera="cam"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Track("t", of="nuclei", max_distance=5), "which answers with labels, expected an earlier stage"),
        (lambda: Track("t", of="none", max_distance=5), "that is no earlier stage"),
        (lambda: Track("t", of="cells", max_distance=5, appearance="cells"), "expected an earlier stage with crops"),
        (lambda: Track("t", of="cells", max_distance=5, speed=3), "found the settings speed of the stage 't'"),
        (lambda: Track("t", of="cells"), "expected one of them: how far an object goes a frame"),
    ],
)
def test_what_cannot_be_tracked_is_a_sentence(tmp_path: Path, make: Any, words: str) -> None:
    stages = [Stage("nuclei", circles(tmp_path / "circles")), Measure("cells", of="nuclei")]
    with pytest.raises(PipelineError) as error:
        Pipeline([stages[0], make()] if "labels" in words else [*stages, make()])
    assert words in str(error.value)
