"""The recorder process under the faults it is there for: whatever is killed, no announced frame is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import FrameSpec, RecordError
from onscope.runtime.record import RecordedRun, Recording, open_recording
from onscope.runtime.record.recorder import _keeper

from ._made import MadeSource, completed

SPEC = FrameSpec((64, 64))
SMALL_MB = 0.1
"""Room for 12 frames of SPEC."""


def check_all(run: RecordedRun, count: int) -> None:
    """Every frame of a MadeSource of SPEC is there once, in order, pixel for pixel."""
    assert run.table("frames")["seq"].to_pylist() == list(range(count))
    assert run.table("frames")["number"].to_pylist() == list(range(count))
    assert run.verify() == []
    source = MadeSource(SPEC, count)
    for seq in range(0, count, 7):
        np.testing.assert_array_equal(run.frame(seq).pixels, source.pixels(seq), strict=True)


def kill_often(recording: Recording, times: int, seed: int, done: threading.Event) -> None:
    """Kill each recorder of a recording at a random moment of its life."""
    rng = random.Random(seed)
    last = -1
    for _ in range(times):
        while (pid := recording.sink.pid) == last:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.6))
        last = pid
        os.kill(pid, signal.SIGKILL)
    done.set()


def save_while_killed(folder: Path, times: int, seed: int, **options: Any) -> int:
    """Save frames for as long as recorders are killed, and a few more; how many."""
    done = threading.Event()
    with Recording(folder, buffer_mb=SMALL_MB, **options) as recording:
        killer = threading.Thread(target=kill_often, args=(recording, times, seed, done))
        killer.start()
        after = 0
        for frame in MadeSource(SPEC, 10**6).frames():
            recording.save(frame)
            time.sleep(0.001)
            after += done.is_set()
            if after > 20:
                break
        killer.join()
    assert recording.raw_frames == frame.id.seq + 1
    return frame.id.seq + 1


@pytest.fixture
def endless_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of deaths is followed by a new start."""
    monkeypatch.setattr(_keeper, "WITHIN_S", 0.0)


@pytest.mark.parametrize("format", ["ome-zarr", "ome-tiff", "ndtiff"])
@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 3))])
def test_killed_recorders_lose_and_double_nothing(
    tmp_path: Path, endless_patience: None, seed: int, format: str
) -> None:
    """Three times six in the normal suite, and three hundred more in the slow one."""
    count = save_while_killed(tmp_path / "run", 50 if seed else 6, seed, format=format)
    run = open_recording(tmp_path / "run")
    assert run.manifest["state"] == "complete"
    check_all(run, count)


@pytest.mark.long
def test_a_rolling_window_outlives_killed_recorders(tmp_path: Path, endless_patience: None) -> None:
    count = save_while_killed(tmp_path / "run", 6, 5, keep=30)
    run = open_recording(tmp_path / "run")
    assert run.table("frames")["seq"].to_pylist() == list(range(count - 30, count))
    assert run.verify() == []


def test_a_recorder_killed_at_the_end_is_replaced(tmp_path: Path) -> None:
    with Recording(tmp_path / "run", buffer_mb=SMALL_MB) as recording:
        frames = list(MadeSource(SPEC, 12).frames())
        for frame in frames:
            recording.save(frame)
        os.kill(recording.sink.pid, signal.SIGKILL)
    check_all(open_recording(tmp_path / "run"), 12)


def test_three_deaths_end_the_saving(tmp_path: Path) -> None:
    told: list[str] = []
    deaths: list[int] = []
    with (  # noqa: PT012
        pytest.raises(RecordError, match=r"recorder dead 3 times within 30 s \(killed by signal 9\)"),
        Recording(tmp_path / "run", buffer_mb=SMALL_MB, tell=lambda kind, words: told.append(kind)) as recording,
    ):
        for frame in MadeSource(SPEC, 10**6).frames():
            recording.save(frame)
            if recording.raw_frames > 5 * len(deaths) and recording.sink.pid not in deaths:
                deaths.append(recording.sink.pid)
                os.kill(deaths[-1], signal.SIGKILL)
    assert len(deaths) == 3
    assert told == ["recorder died", "recorder back", "recorder died", "recorder back", "recorder gone"]
    run = open_recording(tmp_path / "run")
    assert run.manifest["state"] == "interrupted"
    assert "recorder dead 3 times" in run.manifest["error"]
    assert len(run) >= recording.raw_frames > 10
    check_all(run, len(run))
    assert not list((tmp_path / "run").glob("*.arrows"))


CHILD = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from _made import MadeSource
from onscope.runtime import FrameSpec
from onscope.runtime.record import Recording

recording = Recording(sys.argv[1], buffer_mb=0.1)
how = sys.argv[3]
if how == "before it is ready":
    os.kill(recording.sink.pid, signal.SIGSTOP)
    print(recording.sink.pid, flush=True)
for frame in MadeSource(FrameSpec((64, 64)), 10**6).frames():
    recording.save(frame)
    os.write(1, b"%d\\n" % (frame.id.seq + 1))
    if how == "before it is ready" and frame.id.seq == 9:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def acquisition(folder: Path, how: str) -> subprocess.Popen[bytes]:
    """A process that records until it is killed, and says how many frames it announced."""
    script = folder / "child.py"
    script.write_text(CHILD)
    here = str(Path(__file__).parent)
    return subprocess.Popen([sys.executable, script, folder / "run", here, how], stdout=subprocess.PIPE)


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_acquisition_loses_nothing_that_was_announced(tmp_path: Path, seed: int) -> None:
    child = acquisition(tmp_path, "at a random moment")
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.8))
    child.kill()
    announced = 1 + len(child.stdout.read().split())
    child.wait()
    run = completed(tmp_path / "run")
    assert run.manifest["state"] == "interrupted"
    assert "the acquisition process ended" in run.manifest["error"]
    assert run.manifest["images"][0]["frames"] == len(run)
    assert len(run) in (announced, announced + 1)  # it may have been killed before it could say so
    check_all(run, len(run))


def test_a_recorder_that_starts_after_the_acquisition_was_killed_saves_its_frames(tmp_path: Path) -> None:
    child = acquisition(tmp_path, "before it is ready")
    assert child.stdout is not None
    recorder = int(child.stdout.readline())
    announced = len(child.stdout.read().split())
    child.wait()
    assert announced == 10
    time.sleep(0.3)  # its resource tracker removes the names of its shared memory meanwhile
    os.kill(recorder, signal.SIGCONT)
    check_all(completed(tmp_path / "run"), 10)


def test_signals_meant_for_the_acquisition_leave_the_recorder_alone(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        pid = recording.sink.pid
        for seq, frame in enumerate(MadeSource(SPEC, 30).frames()):
            recording.save(frame)
            if seq == 10:
                while recording.raw_frames == 0:  # until it runs
                    time.sleep(0.01)
                for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
                    os.kill(pid, number)
        assert os.getsid(pid) == pid
    assert recording.sink.pid == pid
    check_all(open_recording(tmp_path / "run"), 30)


def test_a_stopped_disk_makes_save_wait_and_loses_nothing(tmp_path: Path) -> None:
    with Recording(tmp_path / "run", buffer_mb=SMALL_MB) as recording:
        given: list[int] = []

        def give() -> None:
            for frame in MadeSource(SPEC, 60).frames():
                recording.save(frame)
                given.append(frame.id.seq)

        frame = next(iter(MadeSource(SPEC, 1, segment=1).frames()))
        recording.save(frame)
        while recording.raw_frames == 0:
            time.sleep(0.01)
        os.kill(recording.sink.pid, signal.SIGSTOP)
        giver = threading.Thread(target=give)
        giver.start()
        slots = recording.sink.depth(SPEC)
        while len(given) < slots:
            time.sleep(0.01)
        giver.join(0.5)
        assert giver.is_alive()  # it waits, and everything that it gave stands in the slots
        assert len(given) == slots == recording.sink.waiting
        assert recording.raw_frames == 1
        os.kill(recording.sink.pid, signal.SIGCONT)
        giver.join()
    run = open_recording(tmp_path / "run")
    assert run.table("frames")["seq"].to_pylist() == [0, *range(60)]
    assert run.verify() == []


def test_a_folder_that_is_deleted_is_noticed(tmp_path: Path) -> None:
    source = MadeSource(SPEC, 10**6)
    with (  # noqa: PT012
        pytest.raises(RecordError, match=r"gone while it was written|could not be written|cannot be reached"),
        Recording(tmp_path / "run") as recording,
    ):
        for frame in source.frames():
            recording.save(frame)
            if frame.id.seq == 30:
                while recording.raw_frames == 0:
                    time.sleep(0.01)
                (tmp_path / "run").rename(tmp_path / "elsewhere")
    run = open_recording(tmp_path / "elsewhere")
    assert len(run) >= 1
