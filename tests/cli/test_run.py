"""`onscope run` from the first frame to the last file, on real packages and stored images."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onscope.runtime.record import open_recording
from tests.processes import heed_ctrl_c

from .conftest import FRAMES, Call


@pytest.mark.parametrize("worker", ["thread", "process"])
def test_everything_is_written_and_right(
    call: Call, pipeline_file: Path, stack: Path, images: np.ndarray, tmp_path: Path, worker: str
) -> None:
    out = tmp_path / "out"
    said = call("run", pipeline_file, "--source", f"replay:{stack}", "--out", out, "--worker", worker)
    assert said.code == 0, said.out + said.err
    assert "the ledger adds up and the raw frames are complete" in said.out
    run = open_recording(out)
    np.testing.assert_array_equal(np.stack([frame.pixels for frame in run.frames()]), images, strict=True)
    results = run.table("results")
    assert results["seq"].to_pylist() == list(range(FRAMES))
    for row in results.to_pylist():
        plus = images[row["seq"]] + 1
        np.testing.assert_array_equal(run.images[row["plus_array"]][row["plus_index"]], plus)
        doubled = run.images[row["double_array"]][row["double_index"]]
        np.testing.assert_array_equal(doubled, plus.repeat(2, 0).repeat(2, 1))
    found = run.table("found")
    assert found.num_rows == 8 * FRAMES
    with open(out / "found.csv", newline="") as file:
        assert [float(row["score"]) for row in csv.DictReader(file)] == found["score"].to_pylist()
    report = json.loads((out / "latency.json").read_text())
    assert report["results"] == FRAMES
    assert report["ledger"]["done"] == FRAMES
    assert report["latency_ms"]["p50"] <= report["latency_ms"]["p99"] <= report["latency_ms"]["max"]
    assert set(report["stages"]) == {"plus", "double", "found"}
    assert Image.open(out / "overview.png").width > 1000
    for path in out.iterdir():
        assert str(path.name) in said.out.replace("\n", "")


@pytest.mark.parametrize("format", ["ome-tiff", "ndtiff"])
def test_raw_frames_in_other_formats_can_be_run_again(
    call: Call, pipeline_file: Path, stack: Path, images: np.ndarray, tmp_path: Path, format: str
) -> None:
    for source, out in ((stack, tmp_path / "first"), (tmp_path / "first", tmp_path / "second")):
        said = call(
            "run", pipeline_file, "--source", f"replay:{source}", "--out", out, "--worker", "thread", "--format", format
        )
        assert said.code == 0, said.out + said.err
    run = open_recording(tmp_path / "second")
    np.testing.assert_array_equal(np.stack([frame.pixels for frame in run.frames()]), images, strict=True)
    assert {images.path.suffix for images in run["raw"]} == {".tif" if format == "ome-tiff" else ".ndtiff"}


def test_an_unknown_format_is_named(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    said = call("run", pipeline_file, "--source", f"replay:{stack}", "--out", tmp_path / "out", "--format", "bmp")
    assert said.code == 1
    assert "expected one of ome-zarr, ome-tiff, ndtiff" in said.err.replace("\n", " ")
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_a_recording_can_be_run_again(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert call("run", pipeline_file, "--source", f"replay:{stack}", "--out", first, "--worker", "thread").code == 0
    said = call("run", pipeline_file, "--source", f"replay:{first}", "--out", second, "--worker", "thread")
    assert said.code == 0, said.err
    before, after = open_recording(first), open_recording(second)
    assert len(before) == len(after) == FRAMES
    for row in range(FRAMES):
        np.testing.assert_array_equal(before.frame(row).pixels, after.frame(row).pixels)


def test_skipped_frames_are_no_fault(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("run", pipeline_file, "--source", f"replay:{stack}", "--out", out, "--worker", "thread")
    said = call(*words, "--every-n", "3")
    assert said.code == 0, said.out
    assert len(open_recording(out)) == FRAMES
    assert open_recording(out).table("results")["seq"].to_pylist() == [0, 3, 6, 9]


def test_fewer_frames_than_asked_for_is_exit_code_1(
    call: Call, pipeline_file: Path, stack: Path, tmp_path: Path
) -> None:
    words = ("run", pipeline_file, "--source", f"replay:{stack}", "--worker", "thread", "--out", tmp_path / "out")
    said = call(*words, "--frames", FRAMES + 5)
    assert said.code == 1
    assert f"found {FRAMES} raw frames in the recording, expected the {FRAMES + 5} asked for" in said.out


@pytest.mark.long
def test_overwrite_must_be_said(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    words = ("run", pipeline_file, "--source", f"replay:{stack}", "--worker", "thread", "--out", tmp_path / "out")
    assert call(*words).code == 0
    said = call(*words, "--frames", 2)
    assert said.code == 1
    assert "in use" in said.err
    assert len(open_recording(tmp_path / "out")) == FRAMES
    assert call(*words, "--frames", 2, "--overwrite").code == 0
    assert len(open_recording(tmp_path / "out")) == 2


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is sent to a child otherwise on Windows")
def test_ctrl_c_ends_in_order(pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["run", str(pipeline_file), "--source", f"replay:{stack}", "--fps", "4", "--out", str(out)]
    child = subprocess.Popen(
        [sys.executable, "-m", "onscope.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )
    while child.poll() is None and not list(out.glob("plus.ome.zarr")):
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    said, wrong = child.communicate(timeout=60)
    assert child.returncode == 130, said + wrong
    assert "Traceback" not in said + wrong
    assert "stopped by Ctrl-C" in said
    run = open_recording(out)
    assert run.manifest["state"] == "complete"
    assert 1 <= len(run) < FRAMES
    assert (out / "overview.png").exists()
