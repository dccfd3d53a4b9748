"""Crashes and full disks: what was acknowledged can be read, and the user is told in one sentence."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import FrameSpec, RecordError
from onscope.runtime.record import Recording, open_recording

from ._made import MadeLedger, MadeSource, Row, completed, made_result, noise, spots

CHILD = """
import contextlib, os, signal, sys
sys.path.insert(0, sys.argv[2])
from _made import *
from onscope.runtime import FrameSpec, RecordError
from onscope.runtime.record import Recording, open_recording

with Recording(sys.argv[1]) as recording:
    for frame in recording.tap(MadeSource(FrameSpec((64, 48)), 5000)).frames():
        recording.add(made_result(frame, {"image": noise((64, 48), "float32", frame.id.seq), "spots": spots(3, 1)}))
        if frame.id.seq >= 60:
            rows = 0  # on a busy disk the first answers take their time
            with contextlib.suppress(RecordError):
                rows = open_recording(sys.argv[1]).table("results").num_rows
            if rows:
                print(frame.id.seq + 1, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_what_was_announced(tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text(textwrap.dedent(CHILD))
    here = str(Path(__file__).parent)
    child = subprocess.run(
        [sys.executable, script, tmp_path / "run", here], capture_output=True, text=True, check=False
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    run = completed(tmp_path / "run")
    assert run.manifest["state"] == "interrupted"
    assert "the acquisition process ended" in run.manifest["error"]
    assert len(run) == int(child.stdout) > 60
    assert not list((tmp_path / "run").glob("frames*.arrows"))
    source = MadeSource(FrameSpec((64, 48)), 5000)
    for seq, frame in enumerate(run.frames()):
        np.testing.assert_array_equal(frame.pixels, source.pixels(seq), strict=True)
    results = run.table("results")
    assert results.num_rows > 0
    for number, row in enumerate(results.to_pylist()):
        assert row["image_index"] == [row["seq"]]
        answer = run.answer("image", number)
        np.testing.assert_array_equal(answer, noise((64, 48), "float32", row["seq"]), strict=True)
    assert run.table("spots").num_rows >= 3 * results.num_rows


def test_an_exception_closes_the_recording_in_order(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Recording(tmp_path / "run") as recording:  # noqa: PT012
        ledger = MadeLedger()
        recording.follow(ledger)
        for frame in recording.tap(MadeSource(FrameSpec((8, 8)), 9)).frames():
            recording.add(made_result(frame, {"image": frame.pixels}))
            ledger.rows.append(Row(frame.id, "done", ""))
            if frame.id.seq == 4:
                1 / 0  # noqa: B018
    run = open_recording(tmp_path / "run")
    assert run.manifest["state"] == "interrupted"
    assert run.manifest["error"] == "ZeroDivisionError: division by zero"
    assert len(run) == 5
    assert run.table("results").num_rows == 5
    assert (tmp_path / "run" / "results.parquet").exists()
    assert not list((tmp_path / "run").glob("*.arrows"))
    assert (tmp_path / "run" / "ledger.csv").read_text().count("done") == 5


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process may grow beyond 64 KiB: the same refusal as a full disk, on any file system."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_frame_that_the_disk_refuses_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RecordError, match=r"frame run/camera/1/\d could not be written \(.*\): what was saved"):  # noqa: PT012, SIM117
        with Recording(folder) as recording:
            hard = resource.prlimit(recording.sink.pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(recording.sink.pid, resource.RLIMIT_FSIZE, (65536, hard))
            for _ in recording.tap(MadeSource(FrameSpec((100, 100)), 5)).frames():
                pass
            for _ in recording.tap(MadeSource(FrameSpec((300, 300)), 5, segment=1)).frames():
                pass
    run = open_recording(folder)
    assert run.manifest["state"] == "interrupted"
    assert "could not be written" in run.manifest["error"]
    assert len(run) == 5
    assert run.verify() == []
    assert run.frame(4).pixels.shape == (100, 100)


def test_a_table_that_the_disk_refuses_is_one_sentence(tmp_path: Path, small_files: None) -> None:
    folder = tmp_path / "run"
    count = 0
    with pytest.raises(RecordError, match=r"the table (spots|results) could not be written"):  # noqa: PT012, SIM117
        with Recording(folder) as recording:
            for frame in recording.tap(MadeSource(FrameSpec((8, 8)), 500)).frames():
                recording.add(made_result(frame, {"spots": spots(20, frame.id.seq)}))
                count += 1
    run = open_recording(folder)
    assert len(run) == count + 1
    assert run.table("results").num_rows > 10
    assert run.table("spots").num_rows >= 20 * run.table("results").num_rows


@pytest.mark.skipif(os.name == "nt", reason="tmpfs is a Linux file system")
def test_a_full_disk_ends_the_recording_in_order(full_disk: Path) -> None:
    folder = full_disk / "run"
    source = MadeSource(FrameSpec((256, 256)), 400)
    given = 0
    with (  # noqa: PT012
        pytest.raises(RecordError, match=r"found \d+ MB free in .*, expected at least 11 MB .* ended in order"),
        Recording(folder, buffer_mb=2) as recording,
    ):
        for frame in source.frames():
            recording.save(frame)
            given += 1
    run = open_recording(folder)
    assert given < 400
    assert [frame.id.seq for frame in run.frames()] == list(range(given))  # all that was announced
    assert run.verify() == []
    assert run.manifest["state"] == "interrupted"
    assert not list(folder.glob("frames*.arrows"))


@pytest.mark.skipif(os.name == "nt", reason="tmpfs is a Linux file system")
def test_a_disk_that_is_full_at_once_keeps_what_fitted(full_disk: Path) -> None:
    folder = full_disk / "run"
    source = MadeSource(FrameSpec((256, 256)), 400)
    with (  # noqa: PT012
        pytest.raises(RecordError, match=r"\(No space left on device\)|found 0 MB free"),
        Recording(folder, buffer_mb=2) as recording,
    ):
        for frame in source.frames():
            recording.save(frame)
            if frame.id.seq == 40:
                with contextlib.suppress(OSError), open(full_disk / "other", "wb", buffering=0) as other:
                    while True:
                        other.write(bytes(1 << 16))
    run = open_recording(folder)
    assert 20 < len(run) < 400
    assert [frame.id.seq for frame in run.frames()] == list(range(len(run)))
    assert run.verify() == []


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 40 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here ({mounted.stderr.strip()}); the size limit test stands in")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # at once, whatever still looks at it


def test_a_run_that_cannot_fit_is_refused_before_it_starts(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    source = MadeSource(FrameSpec((4096, 4096)), 10)
    n = free // source.spec().nbytes + 1
    with Recording(tmp_path / "run") as recording:
        frames = recording.tap(source, n).frames(n)
        with pytest.raises(RecordError, match="raw frames: free some space"):
            next(frames)
    assert len(open_recording(tmp_path / "run")) == 0


def test_derived_images_that_cannot_fit_are_refused_at_the_first_result(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    source = MadeSource(FrameSpec((16, 16)), 10)
    n = free // (1024 * 1024 * 4)
    with Recording(tmp_path / "run") as recording:
        frame = next(iter(recording.tap(source, n).frames()))
        with pytest.raises(RecordError, match="images that"):
            recording.add(made_result(frame, {"image": noise((1024, 1024), "float32", 0)}))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be made"):
        Recording(tmp_path / "file" / "run")
