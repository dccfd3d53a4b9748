"""A runtime that records: raw frames from the slots, whatever becomes of models, disk and processes."""

from __future__ import annotations

import json
import math
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from onscope.drivers import scripted
from onscope.drivers.scripted import Burst, Change, Move, Restart, Steady
from onscope.runtime import Event, FrameId, Pipeline, RecordError, Runtime, Stage, block, keep_newest
from onscope.runtime.record import Recording, open_recording, overview
from tests import models

from .schedules import check_recording

Make = Callable[..., Runtime]
SCRIPT: list[scripted.Step] = [Steady(60, fps=1000), Change(shape=(16, 24)), Burst(20), Restart(), Burst(10)]


@pytest.fixture
def plus(folder: Path) -> Pipeline:
    return Pipeline([Stage("plus", models.plus_one(folder / "recorded"))])


@pytest.mark.parametrize("worker", ["process", "thread"])
def test_every_raw_frame_is_recorded_and_every_result(
    runtime: Make, plus: Pipeline, tmp_path: Path, worker: str
) -> None:
    camera = scripted.camera(SCRIPT, shape=(32, 32), name="cam")
    it = runtime(plus, None, worker=worker, provider="null:5", record=tmp_path / "run")
    answers = {result.frame.id: result["plus"] for result in it.stream(camera)}
    it.close()
    run = open_recording(tmp_path / "run")
    given = {frame.id: camera.crc(frame.id) for frame in run.frames()}
    assert len(given) == 90 == it.ledger.submitted
    check_recording(tmp_path / "run", given)
    assert [segment.spec.shape for segment in it.segments] == [(32, 32), (16, 24), (16, 24)]
    rows = run.table("results").to_pylist()
    assert len(rows) == len(answers) == it.ledger.counts["done"] < 90
    for image in run.images.values():
        if image.role == "derived":
            assert image.shape in ((32, 32), (16, 24))
    assert (tmp_path / "run" / "ledger.csv").read_text().count("\n") == 91


@pytest.mark.long
def test_a_model_that_never_answers_costs_no_raw_frame(runtime: Make, plus: Pipeline, tmp_path: Path) -> None:
    camera = scripted.camera([Steady(200, fps=2000)], shape=(64, 64), name="cam")
    it = runtime(plus, None, worker="process", record=tmp_path / "run", provider="scripted:hang@0")
    it.prepare(camera.spec())
    for frame in camera.frames():
        it.submit(frame)
    it.close()
    assert it.ledger.submitted == 200
    check_recording(tmp_path / "run", recorded(it, camera))
    assert it.ledger.adds_up()


def recorded(it: Runtime, camera: scripted.ScriptedCamera) -> dict[FrameId, int]:
    """CRC-32 of all frames that were submitted."""
    return {row.id: camera.crc(row.id) for row in sorted(it.ledger.table())}


@pytest.mark.long
def test_a_disk_that_stands_still_makes_the_source_wait_and_nothing_is_lost(
    runtime: Make, plus: Pipeline, tmp_path: Path
) -> None:
    recording = Recording(tmp_path / "run", plus, buffer_mb=0.05)
    it = runtime(plus, None, worker="process", record=recording)
    camera = scripted.camera([Burst(60)], shape=(64, 64), name="cam")
    it.prepare(camera.spec())
    os.kill(recording.sink.pid, signal.SIGSTOP)
    taken = []

    def feed() -> None:
        for frame in camera.frames():
            it.submit(frame)
            taken.append(frame.id)

    feeder = threading.Thread(target=feed)
    feeder.start()
    feeder.join(1.0)
    assert feeder.is_alive(), "the slots are full"
    assert 0 < len(taken) < 60
    os.kill(recording.sink.pid, signal.SIGCONT)
    feeder.join(20)
    assert len(taken) == 60
    it.close()
    recording.finish(it.ledger)
    check_recording(tmp_path / "run", recorded(it, camera))


@pytest.mark.long
@pytest.mark.parametrize("kills", [1, 2])
def test_a_recorder_that_is_killed_loses_nothing(
    runtime: Make, plus: Pipeline, events: list[Event], tmp_path: Path, kills: int
) -> None:
    recording = Recording(tmp_path / "run", plus)
    it = runtime(plus, None, worker="process", record=recording)
    camera = scripted.camera([Steady(300, fps=600)], shape=(48, 48), name="cam")
    killed = 0
    for n, _ in enumerate(it.stream(camera)):
        if n in (20, 120)[:kills]:
            while recording.sink.pid == killed:  # the next one is on its way
                time.sleep(0.005)
            killed = recording.sink.pid
            os.kill(killed, signal.SIGKILL)
    it.close()
    recording.finish(it.ledger)
    assert it.ledger.submitted == 300
    check_recording(tmp_path / "run", recorded(it, camera))


def test_a_recorder_that_keeps_dying_ends_the_run_in_order(
    runtime: Make, plus: Pipeline, events: list[Event], tmp_path: Path
) -> None:
    recording = Recording(tmp_path / "run", plus)
    it = runtime(plus, None, worker="thread", record=recording)
    camera = scripted.camera([Steady(None, fps=300)], shape=(48, 48), name="cam")
    stop = threading.Event()

    def murder() -> None:
        while not stop.wait(0.05):
            pid = recording.sink.pid
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                time.sleep(0.01)

    murderer = threading.Thread(target=murder)
    murderer.start()
    with pytest.raises(RecordError, match="3 times"):
        for _ in it.stream(camera):
            pass
    stop.set()
    murderer.join()
    it.close()
    with pytest.raises(RecordError):
        recording.finish(it.ledger)
    assert it.ledger.adds_up()
    assert "recording ended" in [event.kind for event in events]
    run = open_recording(tmp_path / "run")
    assert run.manifest["state"] == "interrupted"
    assert {frame.id: crc32(frame.pixels.data) for frame in run.frames()}.items() <= recorded(it, camera).items()
    assert run.verify() == []


def test_hooks_leave_raw_frames_to_the_acquisition_and_never_wait(
    runtime: Make, plus: Pipeline, tmp_path: Path
) -> None:
    recording = Recording(tmp_path / "run", plus)
    it = runtime(plus, None, worker="thread", admission=keep_newest(4), record=recording)
    os.kill(recording.sink.pid, signal.SIGSTOP)
    for n in range(50):
        image = np.full((16, 16), n, np.uint16)
        assert it.image_process_fn(image, {"Camera": "cam", "ImageNumber": str(n)})[0] is image
        time.sleep(0.002)
    assert it.drain(10)
    os.kill(recording.sink.pid, signal.SIGCONT)
    it.close()
    recording.finish(it.ledger)
    run = open_recording(tmp_path / "run")
    assert len(run) == 0
    assert run.table("results").num_rows == it.ledger.counts["done"] > 0


def test_frames_that_no_model_takes_are_recorded_all_the_same(runtime: Make, plus: Pipeline, tmp_path: Path) -> None:
    camera = scripted.camera([Burst(5), Change(dtype="float32"), Burst(5)], shape=(16, 16), name="cam")
    it = runtime(plus, None, admission=block(2), record=tmp_path / "run")
    assert len(list(it.stream(camera))) == 5
    it.close()
    assert it.ledger.counts["failed"] == 5
    check_recording(tmp_path / "run", recorded(it, camera))


def test_a_folder_in_use_is_refused_before_anything_starts(plus: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    before = threading.active_count()
    with pytest.raises(RecordError, match="choose another"):
        Runtime(plus, record=tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.02)
    assert threading.active_count() <= before, "no thread was left behind"


def test_stages_that_run_on_some_frames_only_are_recorded_where_they_ran(
    runtime: Make, folder: Path, tmp_path: Path
) -> None:
    plus, double = models.plus_one(folder / "some"), models.double(folder / "others")
    pipeline = Pipeline(
        [
            Stage("plus", plus, channel="DAPI"),
            Stage("double", double, channel="GFP"),
            Stage("found", models.brightest(folder / "points"), channel="GFP"),
        ]
    )
    script: list[scripted.Step] = [
        Move(channel="DAPI"),
        Burst(3),
        Move(channel="GFP"),
        Burst(2),
        Move(channel="DAPI"),
        Burst(1),
    ]
    camera = scripted.camera(script, shape=(16, 16), name="cam")
    it = runtime(pipeline, None, admission=block(2), record=tmp_path / "run")
    results = list(it.stream(camera))
    it.close()
    assert [list(result) for result in results] == [["plus"]] * 3 + [["double", "found"]] * 2 + [["plus"]]
    run = open_recording(tmp_path / "run")
    rows = run.table("results").to_pylist()
    assert len(rows) == 6
    for row, result in zip(rows, results, strict=True):
        for stage in ("plus", "double"):
            place = row[f"{stage}_index"]
            assert (place is None) == (stage not in result)
            if place is not None:
                images = run.images[row[f"{stage}_array"]]
                assert (images[place] == result[stage]).all()
    assert run.table("found").num_rows == sum(len(result["found"]) for result in results[3:5])
    report = json.loads((tmp_path / "run" / "latency.json").read_text())
    assert all(math.isfinite(ms) for step in report["steps_ms"].values() for ms in step.values())
    assert overview(run, tmp_path / "overview.png").stat().st_size > 10_000
