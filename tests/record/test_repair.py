"""`repair`: whatever was killed whenever, what was acknowledged is there and equal, and all is whole again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import zarr

from onscope.runtime import FrameSpec, RecordError
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record._place import Hold
from onscope.runtime.record.repair import repair
from onscope.runtime.record.verify import verify

from ._made import MadeSource, noise

SPEC = FrameSpec((40, 48))
KILLED = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[2])
from _made import *
from onscope.runtime import FrameSpec
from onscope.runtime.record import Recording

at, order = int(sys.argv[3]), sys.argv[4]
recording = Recording(sys.argv[1], format=sys.argv[5])
for frame in recording.tap(MadeSource(FrameSpec((40, 48)), 200)).frames():
    answers = {"image": noise((40, 48), "float32", frame.id.seq), "spots": spots(3, frame.id.seq)}
    recording.add(made_result(frame, answers))
    if frame.id.seq == at:
        while recording.raw_frames < at // 2:
            time.sleep(0.001)
        first, second = recording.sink.pid, os.getpid()
        for pid in (first, second) if order == "recorder first" else (second,):
            os.kill(pid, signal.SIGKILL)
"""


def killed(folder: Path, at: int, format: str = "ome-zarr", order: str = "recorder first") -> None:
    """A recording whose acquisition and recorder were killed while frame `at` was under way."""
    child = subprocess.run(
        [sys.executable, "-c", KILLED, folder, str(Path(__file__).parent), str(at), order, format],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr


def acknowledged(folder: Path) -> tuple[dict[int, bytes], dict[int, bytes], dict[int, list[Any]]]:
    """Raw frames, images and objects that rows tell of, by the number of the frame."""
    run = open_recording(folder)
    raw = {frame.id.seq: frame.pixels.tobytes() for frame in run.frames()}
    try:
        results = run.table("results")
    except RecordError:  # killed before the first
        return raw, {}, {}
    images = {row["seq"]: run.answer("image", number).tobytes() for number, row in enumerate(results.to_pylist())}
    objects: dict[int, list[Any]] = {}
    with contextlib.suppress(RecordError):  # cut before the first
        for row in run.table("spots").to_pylist():
            if row["seq"] in images:
                objects.setdefault(row["seq"], []).append((row["y"], row["x"], row["score"]))
    return raw, images, objects


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check(folder: Path) -> None:
    """Mend it and look at everything."""
    before = acknowledged(folder)
    source = MadeSource(SPEC, 200)
    assert all(pixels == source.pixels(seq).tobytes() for seq, pixels in before[0].items())
    assert all(pixels == noise((40, 48), "float32", seq).tobytes() for seq, pixels in before[1].items())
    as_it_was = content(folder)
    planned = repair(folder, dry_run=True)
    assert content(folder) == as_it_was, "a dry run changes nothing"
    mended = repair(folder)
    assert mended.left == ()
    assert (mended.done == ()) == (planned.done == ())
    assert acknowledged(folder) == before
    report = verify(folder, sample=0)
    assert report.good, report.faults
    assert report.state == "interrupted"
    assert not list(folder.glob("*.arrows"))
    assert not (folder / "raw.json").exists()
    as_it_is = content(folder)
    again = repair(folder)
    assert (again.done, again.left) == ((), ())
    assert content(folder) == as_it_is, "a second time changes nothing"
    if before[1] and (folder / "image.ome.zarr").exists():
        array: Any = zarr.open_group(str(folder / "image.ome.zarr"), mode="r")["0"]
        assert all(array[seq].tobytes() == pixels for seq, pixels in before[1].items())


@pytest.mark.parametrize("order", ["recorder first", "acquisition"])
@pytest.mark.parametrize("at", [0, 1, 13, 47])
def test_a_recording_whose_processes_were_killed(tmp_path: Path, at: int, order: str) -> None:
    killed(tmp_path / "run", at, order=order)
    if order == "acquisition":
        Hold(tmp_path / "run", 60.0).close()  # its recorder completes the raw frames
    else:
        report = verify(tmp_path / "run", sample=0)
        assert not report.good
        assert "`onscope repair` completes it" in " ".join(report.faults)
    check(tmp_path / "run")


@pytest.mark.parametrize("format", ["ome-tiff", "ndtiff"])
def test_other_formats(tmp_path: Path, format: str) -> None:
    killed(tmp_path / "run", 21, format)
    check(tmp_path / "run")


@pytest.mark.long
def test_journals_that_were_cut_anywhere(tmp_path: Path) -> None:
    """Pass: however many bytes of the journals reached the disk, what their whole rows name is there in the end."""
    killed(tmp_path / "whole", 30)
    heads = [(name, size) for name in ("frames", "results", "spots") for size in (0, 1, 300)]
    for name, size in heads:
        folder = tmp_path / f"{name}-{size}"
        shutil.copytree(tmp_path / "whole", folder)
        (journal,) = folder.glob(f"{name}*.arrows")
        os.truncate(journal, size)
        check(folder)
    rng = np.random.default_rng(5)
    for n in range(8):
        folder = tmp_path / f"cut-{n}"
        shutil.copytree(tmp_path / "whole", folder)
        for journal in sorted(folder.glob("*.arrows")):
            if rng.random() < 0.6:
                os.truncate(journal, int(rng.integers(0, journal.stat().st_size)))
        check(folder)


def test_what_was_never_acknowledged_is_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    killed(folder, 20)
    chunk = folder / "image.ome.zarr" / "0" / "c" / "90" / "0" / "0"
    chunk.parent.mkdir(parents=True)
    chunk.write_bytes(b"half a ch")
    (folder / "raw.ome.zarr" / "0" / "c" / "3" / "0" / "0.__lock").write_bytes(b"")
    (folder / "recording.json.part").write_text("{")
    said = " ".join(repair(folder).done)
    assert "that no row names: to unacknowledged/" in said
    assert "not written to the end: to unacknowledged/" in said
    aside = folder / "unacknowledged"
    assert (aside / "image.ome.zarr" / "0" / "c" / "90" / "0" / "0").read_bytes() == b"half a ch"
    assert (aside / "recording.json.part").exists()
    assert verify(folder, sample=0).good


def test_rows_without_a_result_are_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    killed(folder, 100)  # 64 results are under way at most: the others have rows, on the slowest disk too
    journal = folder / "results.arrows"
    os.truncate(journal, journal.stat().st_size * 2 // 3)
    before = open_recording(folder).table("results").num_rows
    assert any("rows without a result go to unacknowledged/" in words for words in repair(folder).done)
    strangers = set(pq.read_table(folder / "unacknowledged" / "spots.parquet")["seq"].to_pylist())
    assert strangers
    assert strangers.isdisjoint(open_recording(folder).table("spots")["seq"].to_pylist())
    assert open_recording(folder).table("results").num_rows == before
    assert verify(folder, sample=0).good


def test_nothing_is_done_to_what_is_whole(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        for frame in MadeSource(SPEC, 5).frames():
            recording.save(frame)
    before = content(tmp_path / "run")
    assert repair(tmp_path / "run").done == ()
    assert content(tmp_path / "run") == before


def test_a_change_is_not_made_unseen(tmp_path: Path) -> None:
    """Pass: a file that had changed before it was mended is told, and still found by `verify` afterwards."""
    folder = tmp_path / "run"
    killed(folder, 100)
    repair(folder)
    spots = folder / "spots.csv"
    changed = bytearray(spots.read_bytes())
    changed[40] ^= 1
    spots.write_bytes(changed)
    (folder / "notes.txt").write_text("mine")
    (folder / "zarr.json.part").write_text("{")
    mended = repair(folder)
    assert any("spots.csv has changed" in words for words in mended.left)
    faults = " ".join(verify(folder, sample=0).faults)
    assert "spots.csv has changed since it was written" in faults
    assert "notes.txt belongs to nothing" in faults


@pytest.mark.long
def test_one_that_is_still_written_is_left_alone(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        recording.save(next(iter(MadeSource(SPEC, 1).frames())))
        with pytest.raises(RecordError, match="still being written"):
            repair(tmp_path / "run")
    assert verify(tmp_path / "run").good


def test_links_are_not_written_through(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    killed(folder, 5)
    shutil.move(folder / "image.ome.zarr", tmp_path / "mine")
    (folder / "image.ome.zarr").symlink_to(tmp_path / "mine")
    before = content(tmp_path / "mine")
    with pytest.raises(RecordError, match="a link or no file"):
        repair(folder)
    assert content(tmp_path / "mine") == before


@pytest.mark.parametrize("text", ["[]", "{}", "\0", "[" * 100_000, json.dumps({"schema": 99})])
def test_what_cannot_be_read_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "recording.json").write_text(text)
    with pytest.raises(RecordError):
        repair(folder)
    assert content(folder) == {"recording.json": text.encode()}
