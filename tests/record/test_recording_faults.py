"""Faults of the caller and of the folder that may not cost frames: each was seen to do so once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onscope.runtime import FrameSpec, RecordError
from onscope.runtime._ring import Ring
from onscope.runtime.record import Recording, _place, open_recording
from onscope.runtime.record._own import OwnSlots
from onscope.runtime.record._place import Hold

from ._made import MadeSource

SPEC = FrameSpec((32, 32))


def test_a_recording_is_fed_once(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        frame = next(iter(MadeSource(SPEC, 1).frames()))
        recording.save(frame)
        with pytest.raises(RecordError, match="fed already"):
            OwnSlots(recording.sink)
        ring = Ring(SPEC, 2, 0)
        with pytest.raises(RecordError, match="lane 0 of a recording open"):
            recording.sink.open(0, SPEC, ring.memory)
        ring.close()
    run = open_recording(tmp_path / "run")
    assert (len(run), run.verify()) == (1, [])


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from _made import MadeSource
from onscope.runtime import FrameSpec
from onscope.runtime.record import Recording

recording = Recording(sys.argv[1])
for frame in MadeSource(FrameSpec((32, 32)), 20).frames():
    if frame.id.seq == 5:
        while recording.raw_frames < 5:
            pass
        os.kill(recording.sink.pid, signal.SIGSTOP)  # a disk that is slow
    recording.save(frame)
print(recording.sink.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[int]:
    """A recorder that stands still with 15 frames, of a killed acquisition that recorded in tmp_path / "run"."""
    child = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "run", str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        check=False,
    )
    pid = int(child.stdout)
    yield pid
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def test_a_folder_is_not_overwritten_while_it_is_written(
    tmp_path: Path, busy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_place, "PATIENCE_S", 0.1)
    with pytest.raises(RecordError, match="still being written by a recorder"):
        Recording(tmp_path / "run", overwrite=True)
    os.kill(busy, signal.SIGCONT)
    monkeypatch.setattr(_place, "PATIENCE_S", 60.0)
    with Recording(tmp_path / "run", overwrite=True) as recording:
        recording.save(next(iter(MadeSource(SPEC, 1).frames())))
    run = open_recording(tmp_path / "run")
    assert (len(run), run.verify(), run.manifest["state"]) == (1, [], "complete")


def test_a_recorder_does_not_touch_the_recording_that_took_the_place_of_its_own(tmp_path: Path, busy: int) -> None:
    (tmp_path / "run").rename(tmp_path / "before")
    with Recording(tmp_path / "run") as recording:
        for frame in MadeSource(SPEC, 8, segment=1).frames():
            recording.save(frame)
        os.kill(busy, signal.SIGCONT)
        Hold(tmp_path / "before", 60.0).close()  # until it has ended
    run = open_recording(tmp_path / "run")
    assert run.table("frames")["segment"].to_pylist() == [1] * 8
    assert (run.verify(), run.manifest["state"]) == ([], "complete")
    assert len(open_recording(tmp_path / "before")) == 5
