"""Recordings in every format: recorders and acquisitions killed, full disks, and what others read of them."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from onscope.runtime import Frame, FrameId, FrameSpec, RecordError
from onscope.runtime.record import RecordedRun, Recording, open_recording
from onscope.runtime.record.recorder import _keeper

from .._made import MadeSource, completed, noise
from .test_ndtiff import opened

SPEC = FrameSpec((64, 48), pixel_size_um=0.5)
SMALL_MB = 0.08
"""Room for 13 frames of SPEC."""
FORMATS = ("ome-zarr", "ome-tiff", "ndtiff")
SUFFIXES = {"ome-zarr": ".ome.zarr", "ome-tiff": ".ome.tif", "ndtiff": ".ndtiff"}


def alone(folder: Path, format: str, name: str = "raw") -> np.ndarray[Any, Any]:
    """All frames of an image along t, read with nothing of this project."""
    path = folder / f"{name}{SUFFIXES[format]}"
    if format == "ome-zarr":
        return np.asarray(zarr.open_group(path, mode="r")["0"])
    if format == "ome-tiff":
        with tifffile.TiffFile(path) as file:
            whole = np.asarray(file.series[0].asarray())
        return whole if whole.ndim > len(SPEC.shape) else whole[None]
    with opened(path) as data:
        count = 1 + max(data.axes["time"])
        first = data.read_image(**data.get_image_coordinates_list()[0])
        whole = np.zeros((count, *first.shape), first.dtype)
        for axes in data.get_image_coordinates_list():
            whole[axes["time"]] = data.read_image(**axes)
    return whole


def check(run: RecordedRun, format: str, count: int, spec: FrameSpec = SPEC) -> None:
    """Every frame of a MadeSource is there once, in order, pixel for pixel, and others read it so."""
    assert run.table("frames")["seq"].to_pylist() == list(range(count))
    assert run.verify() == []
    source = MadeSource(spec, count)
    found = alone(run.folder, format)
    assert len(found) == count
    for seq in range(count):
        np.testing.assert_array_equal(found[seq], source.pixels(seq), strict=True)
        if seq % 7 == 0:
            np.testing.assert_array_equal(run.frame(seq).pixels, source.pixels(seq), strict=True)


@pytest.fixture
def endless_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of deaths is followed by a new start."""
    monkeypatch.setattr(_keeper, "WITHIN_S", 0.0)


@pytest.mark.parametrize("format", FORMATS[1:])
@pytest.mark.parametrize(("times", "seed"), [(4, 0), pytest.param(60, 1, marks=pytest.mark.slow)])
def test_killed_recorders_lose_nothing(
    tmp_path: Path, endless_patience: None, format: str, times: int, seed: int
) -> None:
    done = threading.Event()
    with Recording(tmp_path / "run", buffer_mb=SMALL_MB, format=format) as recording:
        killer = threading.Thread(target=_kill_often, args=(recording, times, seed, done))
        killer.start()
        after = 0
        for frame in MadeSource(SPEC, 10**6).frames():
            recording.save(frame)
            time.sleep(0.001)
            after += done.is_set()
            if after > 20:
                break
        killer.join()
    run = open_recording(tmp_path / "run")
    assert run.manifest["state"] == "complete"
    check(run, format, frame.id.seq + 1)


def _kill_often(recording: Recording, times: int, seed: int, done: threading.Event) -> None:
    rng = random.Random(seed)
    last = -1
    for _ in range(times):
        while (pid := recording.sink.pid) == last:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.7))
        last = pid
        os.kill(pid, signal.SIGKILL)
    done.set()


CHILD = """
import os, sys
sys.path.insert(0, sys.argv[2])
from _made import MadeSource
from onscope.runtime import FrameSpec
from onscope.runtime.record import Recording

recording = Recording(sys.argv[1], buffer_mb=0.08, format=sys.argv[3])
print(recording.sink.pid, flush=True)
for frame in MadeSource(FrameSpec((64, 48), pixel_size_um=0.5), 10**6).frames():
    recording.save(frame)
    os.write(1, b"%d\\n" % recording.raw_frames)
"""


@contextlib.contextmanager
def acquisition(folder: Path, format: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process that records until it is killed, and says how many frames are on the disk; and its recorder."""
    script = folder / "child.py"
    script.write_text(CHILD)
    here = str(Path(__file__).parents[1])
    child = subprocess.Popen([sys.executable, script, folder / "run", here, format], stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        recorder = int(child.stdout.readline())
        child.stdout.readline()
        yield child, recorder
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def _said(child: subprocess.Popen[bytes]) -> tuple[int, int]:
    """How many frames a killed acquisition announced, and how many of them it knew to be on the disk."""
    assert child.stdout is not None
    lines = [line for line in child.stdout.read().split(b"\n") if line]
    child.wait()
    return 1 + len(lines), max((int(line) for line in lines[:-1]), default=0)


@pytest.mark.parametrize("format", FORMATS[1:])
@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 40))])
def test_killed_acquisitions_lose_nothing_that_was_announced(tmp_path: Path, format: str, seed: int) -> None:
    with acquisition(tmp_path, format) as (child, _):
        time.sleep(random.Random(seed).uniform(0, 0.8))
        child.kill()
        announced, _ = _said(child)
    run = completed(tmp_path / "run")
    assert run.manifest["state"] == "interrupted"
    assert len(run) in (announced, announced + 1)  # it may have been killed before it could say so
    check(run, format, len(run))


@pytest.mark.parametrize("format", FORMATS[1:])
@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 40))])
def test_when_everything_is_killed_what_was_acknowledged_is_there(tmp_path: Path, format: str, seed: int) -> None:
    with acquisition(tmp_path, format) as (child, recorder):
        time.sleep(random.Random(seed).uniform(0, 0.8))
        child.send_signal(signal.SIGSTOP)  # it starts no other one
        os.kill(recorder, signal.SIGKILL)
        child.kill()
        _, known = _said(child)
    run = open_recording(tmp_path / "run")
    assert len(run) >= known
    assert run.table("frames")["seq"].to_pylist() == list(range(len(run)))
    assert run.verify() == []
    if len(run):
        found = alone(tmp_path / "run", format)
        for seq in range(len(run)):
            np.testing.assert_array_equal(found[seq], noise(SPEC.shape, SPEC.dtype, seq))


@pytest.mark.parametrize("format", FORMATS)
def test_a_full_disk_ends_in_order(small_disk: Path, format: str) -> None:
    # Room for some frames beside what a recording keeps free.
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    spec = FrameSpec((256, 256))
    with (  # noqa: PT012
        pytest.raises(RecordError, match=r"MB free in|No space left"),
        Recording(small_disk / "run", buffer_mb=0.5, format=format) as recording,
    ):
        for frame in MadeSource(spec, 10**5).frames():
            recording.save(frame)
    run = open_recording(small_disk / "run")
    assert run.manifest["state"] == "interrupted"
    assert len(run) == recording.raw_frames > 20
    check(run, format, len(run), spec)


@pytest.mark.long
def test_a_recording_is_overwritten_by_one_of_another_format(tmp_path: Path) -> None:
    for count, format in enumerate(FORMATS, 2):
        if count > 2:
            with pytest.raises(RecordError, match="overwrite the recording in it"):
                Recording(tmp_path / "run", format=format)
        with Recording(tmp_path / "run", format=format, overwrite=True) as recording:
            for frame in MadeSource(SPEC, count).frames():
                recording.save(frame)
        check(open_recording(tmp_path / "run"), format, count)
        assert {path.name for path in (tmp_path / "run").glob("raw*")} == {f"raw{SUFFIXES[format]}"}


@pytest.mark.parametrize("format", FORMATS)
def test_channels_planes_and_positions(tmp_path: Path, format: str) -> None:
    given: Mapping[tuple[int, int, int, int], np.ndarray[Any, Any]] = {
        (t, p, c, z): noise((20, 30), "uint16", t * 1000 + p * 100 + c * 10 + z)
        for t in range(2)
        for p in range(2)
        for c in range(2)
        for z in range(3)
    }
    with Recording(tmp_path / "run", format=format) as recording:
        for seq, ((t, p, c, z), pixels) in enumerate(given.items()):
            index, labels = {"t": t, "p": p, "c": c, "z": z}, {"c": ("DAPI", "GFP")[c]}
            recording.save(Frame(FrameId("run", "A", 0, seq), pixels, index=index, labels=labels))
    run = open_recording(tmp_path / "run")
    assert run.verify() == []
    for frame in run.frames():
        at = tuple(frame.index[axis] for axis in "tpcz")
        np.testing.assert_array_equal(frame.pixels, given[at])  # type: ignore[index]
    for p, name in enumerate(("raw", "raw-1")):
        path = tmp_path / "run" / f"{name}{SUFFIXES[format]}"
        if format == "ome-tiff":
            whole = tifffile.imread(path)
        elif format == "ome-zarr":
            whole = np.asarray(zarr.open_group(path, mode="r")["0"])
        else:
            with opened(path) as data:
                whole = np.array(
                    [
                        [
                            [data.read_image(time=t, channel=c, z=z, position=p) for z in range(3)]
                            for c in ("DAPI", "GFP")
                        ]
                        for t in range(2)
                    ]
                )
        for (t, position, c, z), pixels in given.items():
            if position == p:
                np.testing.assert_array_equal(whole[t, c, z], pixels)


@pytest.mark.parametrize("format", FORMATS[1:])
def test_a_changed_byte_is_found(tmp_path: Path, format: str) -> None:
    with Recording(tmp_path / "run", format=format) as recording:
        for frame in MadeSource(SPEC, 6).frames():
            recording.save(frame)
    path = tmp_path / "run" / "raw.ome.tif"
    if format == "ndtiff":
        path = tmp_path / "run" / "raw.ndtiff" / "NDTiffStack.tif"
    data = bytearray(path.read_bytes())
    place = data.index(noise(SPEC.shape, SPEC.dtype, 3).tobytes())
    data[place + 100] ^= 1
    path.write_bytes(data)
    assert open_recording(tmp_path / "run").verify() == [3]


@pytest.mark.parametrize("format", FORMATS[1:])
def test_a_rolling_window_is_refused_at_once(tmp_path: Path, format: str) -> None:
    with pytest.raises(RecordError, match="rolling window"):
        Recording(tmp_path / "run", format=format, keep=10)
    assert not (tmp_path / "run" / "recording.json").exists()


def test_formats_that_nobody_knows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="expected one of ome-zarr, ome-tiff, ndtiff"):
        Recording(tmp_path / "run", format="png")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("format", FORMATS[1:])
def test_frames_of_floats(tmp_path: Path, format: str) -> None:
    source = MadeSource(FrameSpec((8, 8), "float32", bit_depth=32), 3)
    if format == "ome-tiff":
        with Recording(tmp_path / "run", format=format) as recording:
            list(recording.tap(source).frames())
        assert open_recording(tmp_path / "run").verify() == []
        return
    with (
        pytest.raises(RecordError, match="record them as ome-zarr or ome-tiff"),
        Recording(tmp_path / "run", format=format) as recording,
    ):
        list(recording.tap(source).frames())
    assert json.loads((tmp_path / "run" / "recording.json").read_text())["state"] == "interrupted"
