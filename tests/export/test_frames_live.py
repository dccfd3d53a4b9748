"""Frames of a few seconds from a source: a process of its own takes them, from a real camera too."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tifffile
from typer.testing import CliRunner

from onscope.cli._app import app
from onscope.export.frames import Form, Live, given_frames, names_source, read_frames
from onscope.export.frames import __main__ as taking
from onscope.export.frames._live import take_live
from onscope.export.frames._thin import Thinned
from onscope.runtime import ExportError, OnscopeError, Package, open_source
from tests.processes import heed_ctrl_c

from .test_precision import packaged

CAMERA = Form("bcyx", (1, 1, 64, 64), "uint16", 16, 1)
SCRIPT = """
schema: 1
cameras:
  left:
    shape: [40, 36]
    paced: {paced}
    steps: [{steps}]
"""


def script(folder: Path, steps: str, paced: str = "false") -> str:
    (folder / "script.yaml").write_text(SCRIPT.format(steps=steps, paced=paced))
    return f"scripted:{folder / 'script.yaml'}"


def played(source: str) -> list[Any]:
    with open_source(source) as opened:
        return [frame.pixels for frame in opened.frames()]


@pytest.mark.long
def test_half_a_second_of_the_demo_camera() -> None:
    told = []
    frames, notes = read_frames([Live("demo", 0.5)], CAMERA, 6, lambda *words: told.append(words))
    assert [frame.pixels.shape for frame in frames] == [(1, 1, 512, 512)] * 6
    assert len({frame.pixels.tobytes() for frame in frames}) == 6  # its sensor is noisy
    assert frames[0].name == "demo frame 0"
    assert 100 < frames[0].pixels.mean() < 300
    (note,) = notes
    assert note.startswith("6 of ")
    assert note.endswith(" frames from demo were used, evenly spread")
    assert told[0] == ("taking frames from demo, second", 0, 1)
    assert ("taking frames from demo, second", 1, 1) in told
    assert told[-1] == ("reading the frames", 6, 6)


@pytest.mark.long
def test_a_camera_that_stands_still_is_told() -> None:
    _, notes = read_frames([Live("micromanager:demo", 0.3, {"exposure_ms": 5.0})], CAMERA, 4)
    assert "all 4 frames are the same: they stand for one only, so give some that differ" in notes


def test_frames_are_the_cameras_and_losses_are_counted(tmp_path: Path) -> None:
    source = script(tmp_path, "{burst: 12}, {drop: 5}, {burst: 12}")
    frames, notes = read_frames([Live(source, 60)], CAMERA, 9)
    every = played(source)
    numbers = [int(frame.name.rpartition(" ")[2]) for frame in frames]
    assert (numbers[0], numbers[-1]) == (0, 27)
    assert all(1 <= b - a <= 9 for a, b in pairwise(numbers))
    for frame, number in zip(frames, numbers, strict=True):
        np.testing.assert_array_equal(frame.pixels[0, 0], every[number if number < 12 else number - 5])
    assert "the camera lost 5 frames while 24 were taken from scripted:script.yaml" in notes
    assert "9 of 24 frames from scripted:script.yaml were used, evenly spread" in notes


@pytest.mark.long
def test_a_network_of_several_time_points_gets_runs_without_a_gap(tmp_path: Path) -> None:
    source = script(tmp_path, "{burst: 4}, {drop: 1}, {burst: 5}")
    frames, _ = read_frames([Live(source, 60)], Form("btyx", (1, 3, 32, 32), "uint16", 16, 1))
    every = played(source)
    assert [frame.pixels.shape for frame in frames] == [(1, 3, 40, 36)] * 2
    np.testing.assert_array_equal(frames[0].pixels[0], every[:3])
    np.testing.assert_array_equal(frames[1].pixels[0], every[4:7])
    with pytest.raises(ExportError, match=r"found 4 frames in 60 s of .*, expected 5 that follow one another"):
        read_frames([Live(script(tmp_path, "{burst: 4}"), 60)], Form("btyx", (1, 5, 32, 32), "uint16"))


def test_stored_frames_by_the_name_of_their_source(tmp_path: Path) -> None:
    stored = np.random.default_rng(1).integers(0, 4000, (5, 40, 36)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "stack.tif", stored, photometric="minisblack", metadata={"axes": "TYX"})
    frames, notes = read_frames([f"replay:{tmp_path / 'stack.tif'}"], CAMERA)
    np.testing.assert_array_equal([frame.pixels[0, 0] for frame in frames], stored)
    assert frames[2].name == "replay:stack.tif frame 2"
    assert notes == ()


def test_what_comes_until_the_time_is_over_is_taken(tmp_path: Path) -> None:
    source = script(tmp_path, "{steady: {n: 100000, fps: 100}}", "true")
    (stored, _) = take_live(Live(source, 0.3), CAMERA, 100, lambda *_: None)
    assert 20 <= len(stored) <= 40


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ("{burst: 3}, {fail: unplugged}", "unplugged"),
        ("{pause: 1}, {fail: unplugged}", "unplugged"),
    ],
)
def test_a_camera_that_fails_says_why(tmp_path: Path, steps: str, sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence):
        read_frames([Live(script(tmp_path, steps), 5)], CAMERA)


@pytest.mark.parametrize("heard", [signal.default_int_handler, signal.SIG_IGN])  # in the background it is ignored
def test_a_camera_that_gives_nothing_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: Any, request: Any, heard: Any
) -> None:
    before = signal.signal(signal.SIGINT, heard)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    monkeypatch.setattr(taking, "PATIENCE_S", 0.2)
    order: dict[str, Any] = {"source": script(tmp_path, "{pause: 60000}, {burst: 1}", "true"), "options": {}}
    order |= {"seconds": 1, "most": 3, "window": 1, "folder": str(tmp_path)}
    with pytest.raises(OnscopeError, match=r"found no frame from .* for 0.2 s, expected some: is it triggered"):
        taking.take(order, lambda message: None)
    assert signal.getsignal(signal.SIGINT) is heard


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="a process group and its Ctrl-C")
def test_ctrl_c_stops_the_camera_and_leaves_nothing(tmp_path: Path) -> None:
    source = script(tmp_path, "{steady: {n: 100000, fps: 50}}", "true")
    words = ["reduce", "zoo/care-beads", "--precision", "int8", "--calibrate", source, "--seconds", "600"]
    line = [sys.executable, "-m", "onscope.cli", *words, "-o", str(tmp_path / "out")]
    process = subprocess.Popen(
        line,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=heed_ctrl_c,
    )
    try:
        taking_frames: list[psutil.Process] = []
        while process.poll() is None and not taking_frames:
            children = psutil.Process(process.pid).children()
            taking_frames = [one for one in children if "onscope.export.frames" in one.cmdline()]
            time.sleep(0.1)
        time.sleep(1)  # wherever it is by then
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert not any(one.is_running() for one in taking_frames)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(shutil.which("false") is None, reason="no command that fails at once")
def test_a_process_that_dies_is_told(monkeypatch: Any) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(ExportError, match=r"the process that took frames from demo ended \(it said nothing\)"):
        read_frames([Live("demo")], CAMERA)


@pytest.mark.long
def test_refusals(tmp_path: Path, monkeypatch: Any) -> None:
    with pytest.raises(ExportError, match="found nothing at nothing:1, expected frames"):
        read_frames(["nothing:1"], CAMERA)
    for long in ("scripted:" + "z=1," * 2000, "a" * 9000):
        with pytest.raises(ExportError, match="found") as told:
            read_frames(given_frames([long], 1, None, None), CAMERA)
        assert len(str(told.value)) < 500
    with pytest.raises(ExportError, match="found 'fpz=1' for a scripted camera"):
        read_frames(["scripted:fpz=1"], CAMERA)
    with pytest.raises(ExportError, match="found the option 'camera' for the source demo"):
        read_frames([Live("demo", 1, {"camera": "left"})], CAMERA)
    with pytest.raises(ExportError, match="a network of 4 planes along z, expected stacks"):
        read_frames(["demo"], Form("bzyx", (1, 4, 32, 32), "uint16"))
    with pytest.raises(ExportError, match=r"found 0 s of micromanager:a.cfg, expected more than 0"):
        Live("micromanager:/somewhere/a.cfg", 0)
    with pytest.raises(ExportError, match="found --exposure-ms without a camera"):
        given_frames([str(tmp_path)], None, 5, None)
    assert given_frames(["demo", str(tmp_path)], 2, 5, None) == [Live("demo", 2, {"exposure_ms": 5}), tmp_path]
    monkeypatch.chdir(tmp_path)
    assert names_source("demo")
    (tmp_path / "demo").mkdir()
    assert not names_source("demo")  # what lies there goes before


@pytest.mark.parametrize("most", [1, 3, 8])
def test_items_are_evenly_spread_however_many_come(most: int) -> None:
    for count in range(1, 100):
        thinned = Thinned[int](most)
        for number in range(count):
            thinned.add(number)
        assert thinned.seen == count
        assert len(thinned.items) == min(most, count)
        assert thinned.items[0] == 0
        gaps = [b - a for a, b in pairwise(thinned.items)]
        assert not gaps or max(gaps) <= 2 * min(gaps) + 1
        assert len(thinned._held) < 2 * most or most == 1


@pytest.mark.long
def test_a_package_is_reduced_on_frames_of_a_source(tmp_path: Path) -> None:
    whole = packaged(tmp_path / "whole")
    words = ["reduce", whole, "--precision", "int8", "--calibrate", "scripted:fps=500,n=30,size=48", "--seconds", "5"]
    done = CliRunner().invoke(app, [*map(str, words), "-o", str(tmp_path / "out")], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    report = Package.load(tmp_path / "out").variants["int8"].report
    assert report["calibration"]["source"] == "scripted:fps=500,n=30,size=48, 5 s"
    assert report["calibration"]["frames"] == 16
    assert "24 of 30 frames from scripted:fps=500,n=30,size=48 were used, evenly spread" in done.stdout
    assert "taking frames from scripted, second" in done.stderr
