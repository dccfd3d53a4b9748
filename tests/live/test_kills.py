"""kill -9 of worker, recorder and acquisition at random moments of whole runs."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from zlib import crc32

import numpy as np
import psutil
import pytest

from onscope.drivers import scripted
from onscope.drivers.scripted import Burst, Change, Steady
from onscope.runtime import Event, Frame, Pipeline, Runtime, Stage, _deaths, _supervise, block, keep_newest
from onscope.runtime._shm import PREFIX, SYSTEM_FOLDER
from onscope.runtime.record import Recording, open_recording
from tests import models

from .schedules import check_recording

FEW, MANY = range(1), range(1, 25)
SCRIPT: list[scripted.Step] = [Steady(150, fps=600), Change(shape=(24, 40)), Steady(150, fps=600)]


def several(numbers: range = FEW) -> pytest.MarkDecorator:
    """One run in the normal suite, some dozens in the slow one."""
    slow = [pytest.param(number, marks=pytest.mark.slow) for number in MANY]
    return pytest.mark.parametrize("seed", [*numbers, *slow])


@pytest.mark.long
@several()
def test_worker_and_recorder_are_killed_at_random(folder: Path, tmp_path: Path, seed: int) -> None:
    """Each at most twice: the third death within half a minute is the end by agreement."""
    rng = random.Random(seed)
    events: list[Event] = []
    pipeline = Pipeline([Stage("plus", models.plus_one(folder / "killed"))])
    camera = scripted.camera(SCRIPT, shape=(32, 32), name="cam", seed=seed)
    recording = Recording(tmp_path / "run", pipeline)
    admission = rng.choice([keep_newest(2), block(2)])
    with Runtime(pipeline, admission=admission, record=recording, on_event=events.append) as runtime:
        moments = sorted((rng.uniform(0, 0.6), victim) for victim in ("worker", "recorder") * rng.randint(1, 2))

        def kill() -> None:
            begin = time.monotonic()
            for moment, victim in moments:
                time.sleep(max(0.0, begin + moment - time.monotonic()))
                try:
                    os.kill(runtime.worker_pid if victim == "worker" else recording.sink.pid, signal.SIGKILL)
                except ProcessLookupError:  # it died a moment ago
                    continue

        runtime.prepare(camera.spec())
        killer = threading.Thread(target=kill)
        killer.start()
        ids = [result.frame.id for result in runtime.stream(camera)]
        killer.join()
        assert runtime.drain(30)
    recording.finish(runtime.ledger)
    assert runtime.ledger.adds_up()
    assert runtime.ledger.submitted == 300 - runtime.ledger.counts["lost_upstream"]
    assert ids == sorted(ids)
    assert runtime.ledger.counts["failed"] <= 2, "a death of the worker costs the frame that it had"
    check_recording(tmp_path / "run", {row.id: camera.crc(row.id) for row in sorted(runtime.ledger.table())})


@pytest.mark.parametrize("kills", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (48, 49, 50, 51))])
def test_workers_are_killed_again_and_again(
    folder: Path, tmp_path: Path, kills: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred in the slow suite; each at a random moment of its life, with any number of deaths allowed."""
    monkeypatch.setattr(_deaths, "DEATHS", 10**6)
    monkeypatch.setattr(_supervise, "DEATHS_OPENING", 10**6)
    rng = random.Random(kills)
    pipeline = Pipeline([Stage("plus", models.plus_one(folder / "killed"))])
    camera = scripted.camera([Steady(None, fps=200)], shape=(32, 32), name="cam", seed=kills)
    recording = Recording(tmp_path / "run", pipeline)
    with Runtime(pipeline, admission=keep_newest(2), record=recording) as runtime:
        runtime.prepare(camera.spec())
        done = threading.Event()

        def kill() -> None:
            last = -1
            for _ in range(kills):
                end = time.monotonic() + 30
                while (pid := runtime.worker_pid) == last and time.monotonic() < end:
                    time.sleep(0.005)
                time.sleep(rng.uniform(0, 1.0))
                last = pid
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            done.set()

        killer = threading.Thread(target=kill)
        killer.start()
        after = 0
        for frame in camera.frames():
            runtime.submit(frame)
            after += done.is_set()
            if after > 100:
                break
        killer.join()
        assert runtime.drain(30)
        results = runtime.ledger.counts["done"]
    recording.finish(runtime.ledger)
    assert runtime.ledger.adds_up()
    assert runtime.ledger.counts["failed"] <= 2 * kills, "a death costs the frames that the worker had"
    check_recording(tmp_path / "run", {row.id: camera.crc(row.id) for row in sorted(runtime.ledger.table())})
    run = open_recording(tmp_path / "run")
    rows = run.table("results").to_pylist()
    assert len(rows) == results > 0
    for number in range(0, len(rows), max(1, len(rows) // 100)):
        pixels: np.ndarray = run["raw"][0][rows[number]["plus_index"]]
        right: np.ndarray = run.answer("plus", number) == pixels + 1
        assert right[pixels < 65535].all(), "an answer stands at its frame's element"


ACQUISITION = """
import sys
from pathlib import Path
from onscope.drivers import scripted
from onscope.runtime import Pipeline, Runtime, Stage
from onscope.runtime.record import Recording

folder, package, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
pipeline = Pipeline([Stage("plus", package)])
steps = [scripted.Steady(150, fps=600), scripted.Change(shape=(24, 40)), scripted.Steady(None, fps=600)]
camera = scripted.camera(steps, shape=(32, 32), name="cam", seed=seed, run="killed")
recording = Recording(folder, pipeline)
with Runtime(pipeline, record=recording) as runtime:
    runtime.prepare(camera.spec())
    print(runtime.worker_pid, recording.sink.pid, flush=True)
    for result in runtime.stream(camera):
        print(runtime.ledger.submitted, recording.raw_frames, flush=True)
"""


@pytest.mark.long
@several()
def test_the_acquisition_is_killed_at_random(folder: Path, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    package = models.plus_one(folder / "killed").folder
    command = [sys.executable, "-c", ACQUISITION, str(tmp_path / "run"), str(package), str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    worker, recorder = map(int, process.stdout.readline().split())
    time.sleep(rng.uniform(0, 0.8))
    process.kill()
    said = [line.split() for line in process.stdout.read().splitlines()]
    process.wait()
    submitted, acknowledged = (int(word) for word in said[-1]) if said and len(said[-1]) == 2 else (0, 0)
    for pid in (worker, recorder):
        wait_for_the_end(pid)
    run = open_recording(tmp_path / "run")
    assert run.manifest["state"] == "interrupted"
    assert len(run) >= max(acknowledged, submitted - 1), "all that was announced, not only what was acknowledged"
    truth = {frame.id: crc32(frame.pixels.data) for frame in all_frames(seed)}
    recorded = {frame.id: crc32(frame.pixels.data) for frame in run.frames()}
    assert recorded.items() <= truth.items()
    assert list(recorded) == list(truth)[: len(recorded)], "in order, without a gap"
    assert run.verify() == []
    json.loads((tmp_path / "run" / "recording.json").read_text())
    for _ in range(1000):  # as long as the others may take to end
        left = list(SYSTEM_FOLDER.glob(f"{PREFIX}-{process.pid}-*"))
        if not left:
            break
        time.sleep(0.02)
    assert left == [], "no shared memory stays behind"


def all_frames(seed: int) -> list[Frame]:
    """The same frames at once, and as many as a killed run can have had."""
    steps: list[scripted.Step] = [Burst(150), Change(shape=(24, 40)), Burst(3000)]
    return list(scripted.camera(steps, shape=(32, 32), name="cam", seed=seed, run="killed", paced=False).frames())


def wait_for_the_end(pid: int) -> None:
    """Raises psutil.TimeoutExpired when the process lives on."""
    try:
        psutil.Process(pid).wait(20)
    except psutil.NoSuchProcess:
        return
