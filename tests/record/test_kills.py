"""kill -9 of acquisitions and recorders, hundreds of times: what was announced is there, and others open it as it is.

Acquisitions are forked by a process that has imported everything, so that hundreds take minutes.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ndstorage
import numpy as np
import pytest
import tifffile
import zarr
from ome_zarr.io import parse_url  # type: ignore[import-untyped]
from ome_zarr.reader import Reader  # type: ignore[import-untyped]
from yaozarrs import validate_zarr_store

from onscope.runtime.record import RecordedRun, open_recording

from ._made import completed, frame_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked and killed as Linux does it")

PRINTED = 16
FORMATS = ["ome-zarr", "ome-zarr", "ome-tiff", "ndtiff"]

NURSERY = """
import os, signal, sys, time
import tensorstore
from tests.record._made import frame_of
from onscope.runtime.record import Recording

def acquire(folder, format, seed):
    with open(folder + ".said", "wb", buffering=0) as said:
        recording = Recording(folder, buffer_mb=0.1, format=format)
        said.write(b"%16d" % recording.sink.pid)
        seq = 0
        while True:
            recording.save(frame_of(seq))
            seq += 1
            said.seek(16)
            said.write(b"%16d%16d" % (seq, recording.raw_frames))
            time.sleep(0.0005)

for line in sys.stdin:
    what, *words = line.split()
    if what == "begin":
        child = os.fork()
        if child == 0:
            try:
                acquire(*words)
            finally:
                os._exit(1)
        print(child, flush=True)
    else:
        os.kill(int(words[0]), signal.SIGKILL)
        print(os.waitpid(int(words[0]), 0)[1], flush=True)
"""


class Nursery:
    """Starts and kills acquisitions; used by several threads."""

    def __init__(self) -> None:
        env = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        self._lock = threading.Lock()

    def ask(self, *words: object) -> int:
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            print(*words, file=self._process.stdin, flush=True)
            return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


def said(folder: Path) -> list[int]:
    """What an acquisition said: the process id of its recorder, frames announced, frames acknowledged."""
    try:
        text = folder.with_suffix(".said").read_bytes()
    except FileNotFoundError:
        return []
    whole = len(text) // PRINTED * PRINTED
    return [int(text[at : at + PRINTED]) for at in range(0, whole, PRINTED)]


def kill_one(nursery: Nursery, folder: Path, seed: int) -> int:
    """Kill an acquisition at a random moment, and its recorder before or after it at times; frames that it saved."""
    rng = random.Random(seed)
    format = rng.choice(FORMATS)
    run = folder / f"run-{seed}"
    pid = nursery.ask("begin", run, format, seed)
    while not said(run):
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.5) + rng.choice([0, 0, 0.3]))
    how = nursery.ask("end", pid)
    assert how == 9, "it ended by the kill"
    _, announced, acknowledged = (*said(run), 0, 0)[:3]
    recorded = completed(run)
    check(recorded, announced, acknowledged)
    open_by_others(recorded, format)
    return len(recorded)


def check(run: RecordedRun, announced: int, acknowledged: int) -> None:
    """Every frame that was announced is there once, in order, pixel for pixel, and at its element."""
    assert len(run) >= acknowledged
    assert len(run) in (announced, announced + 1), "it may have been killed before it could say so"
    assert run.manifest["state"] == "interrupted"
    assert run.table("frames")["number"].to_pylist() == list(range(len(run)))
    assert run.verify() == []
    for number, frame in enumerate(run.frames()):
        expected = frame_of(number)
        assert (frame.id, dict(frame.index)) == (expected.id, dict(expected.index))
        if number % 5 == 0:
            np.testing.assert_array_equal(frame.pixels, expected.pixels, strict=True)


def open_by_others(run: RecordedRun, format: str) -> None:
    """Libraries that know nothing of recordings show the same pixels, without any repair."""
    rows = run.table("frames").to_pylist()
    if format == "ome-zarr" and rows:
        validate_zarr_store(str(run.folder))
    for name in run.images:
        mine = [row for row in rows if row["array"] == name]
        last, path = mine[-1], run.folder / name
        pixels = frame_of(last["number"]).pixels
        if format == "ome-zarr":
            validate_zarr_store(str(path))
            located = parse_url(str(path))
            assert located is not None
            (node,) = Reader(located)()
            np.testing.assert_array_equal(np.asarray(node.data[0][tuple(last["index"])]), pixels)
            present: Any = zarr.open_array(path / "present", mode="r")
            assert sorted(map(tuple, np.argwhere(present[:]).tolist())) == sorted(tuple(row["index"]) for row in mine)
        elif format == "ome-tiff":
            with tifffile.TiffFile(path) as file:
                assert len(file.pages) == len(mine)
                np.testing.assert_array_equal(file.pages[last["page"]].asarray(), pixels)
        else:
            data = ndstorage.Dataset(str(path))
            assert len(data.get_image_coordinates_list()) == len(mine)
            data.close()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("begin", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 306, 60))])
def test_killed_acquisitions_lose_nothing_that_was_announced(nursery: Nursery, tmp_path: Path, begin: int) -> None:
    """Six in the normal suite, three hundred more in the slow one."""
    seeds = range(begin, begin + (60 if begin else 6))
    with ThreadPoolExecutor(2) as pool:
        saved = list(pool.map(lambda seed: kill_one(nursery, tmp_path, seed), seeds))
    assert sum(count > 0 for count in saved) > len(seeds) // 3, "most were killed in the middle"


def test_the_manifest_of_a_killed_acquisition_names_its_images(nursery: Nursery, tmp_path: Path) -> None:
    pid = nursery.ask("begin", tmp_path / "run", "ome-zarr", 0)
    while len(said(tmp_path / "run")) < 3 or said(tmp_path / "run")[2] < 60:
        time.sleep(0.01)
    nursery.ask("end", pid)
    completed(tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "recording.json").read_text())
    assert "the acquisition process ended" in manifest["error"]
    assert [image["along"] for image in manifest["images"]] == ["t", "tcz"]
    assert sum(image["frames"] for image in manifest["images"]) == len(open_recording(tmp_path / "run"))
    series = json.loads((tmp_path / "run" / "OME" / "zarr.json").read_text())["attributes"]["ome"]["series"]
    assert series == [image["path"] for image in manifest["images"]]
