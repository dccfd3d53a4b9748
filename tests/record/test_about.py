"""What is said of recordings in words: for every kind of source, statistic and format, and of nobody's hands harm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onscope.drivers import replay, scripted
from onscope.drivers.scripted import Steady
from onscope.runtime import FrameSpec, Gather, Pipeline, Runtime, Source, Stage, block
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record.about import about, about_frame, methods
from onscope.runtime.record.about._facts import Cited
from onscope.runtime.record.about._references import bibtex, one_line, reference_lines
from tests import models
from tests.live.test_compiled import RANGE, UNIT, scaled

from ._made import MadeSource


def told(folder: Path, pipeline: Pipeline, source: Source, **more: Any) -> str:
    """The methods text of a run."""
    with Recording(folder, pipeline, **more) as recording:
        with Runtime(pipeline, record=recording, admission=block(2), worker="thread") as runtime:
            list(runtime.stream(source))
        recording.finish(runtime.ledger)
    assert (folder / "methods.md").read_text() == methods(about(folder))
    return (folder / "methods.md").read_text()


def test_a_replay_is_no_acquisition(tmp_path: Path) -> None:
    images = np.arange(4 * 24 * 32, dtype=np.uint16).reshape(4, 24, 32)
    tifffile.imwrite(tmp_path / "stack.tif", images, imagej=True)
    pipeline = Pipeline([Stage("net", scaled(tmp_path / "net", UNIT), normalise="running")])
    text = told(tmp_path / "run", pipeline, replay(tmp_path / "stack.tif"))
    assert "Stored images were replayed" in text
    assert "stack.tif" in text
    assert "Frames were processed by onscope" in text
    assert "Intensities were normalised for net with the mean and std as a running mean over the frames." in text


def test_windows_and_formats_are_named(tmp_path: Path) -> None:
    pipeline = Pipeline([Stage("mean", models.window_mean(tmp_path / "net", 3))], Gather(3, "t", every=1, look_ahead=1))
    camera = scripted.camera([Steady(5, fps=100)], shape=(16, 16), name="cam")
    text = told(tmp_path / "run", pipeline, camera, format="ome-tiff")
    assert "a window of 3 frames along t, 1 of them after the answer's own" in text
    assert "Raw frames were saved unaltered as OME-TIFF" in text


def test_statistics_of_the_graph_are_said_to_be_its_own(tmp_path: Path) -> None:
    stages = [
        Stage("plus", models.plus_one(tmp_path / "plus", "float32")),
        Stage("level", scaled(tmp_path / "net", RANGE), "plus"),
    ]
    camera = scripted.camera([Steady(2, fps=100)], shape=(24, 32), dtype="float32", name="cam")
    text = told(tmp_path / "run", Pipeline(stages), camera)
    assert "Intensities were normalised for level with statistics of its own input." in text
    assert "on the answers of plus." in text


def test_raw_frames_alone_have_words_too(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        for _ in recording.tap(MadeSource(FrameSpec((16, 16), pixel_size_um=0.5), 3)).frames():
            pass
    text = (tmp_path / "run" / "methods.md").read_text()
    assert "3 frames (16 x 16 pixels, uint16) were taken" in text
    assert "at an exposure of 10 ms; the size of a pixel in the sample was 0.5 um" in text
    assert "processed" not in text
    assert "## Models" not in text


KILLED = """
import sys
from onscope.drivers import scripted
from onscope.drivers.scripted import Steady
from onscope.runtime import Pipeline, Runtime, Stage, block
camera = scripted.camera([Steady(100_000, fps=100)], shape=(32, 32), name="cam")
with Runtime(Pipeline([Stage("net", sys.argv[1])]), record=sys.argv[2], admission=block(2)) as runtime:
    for number, result in enumerate(runtime.stream(camera)):
        if number == 30:
            print("running", flush=True)
"""


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="kills with SIGKILL")
def test_a_killed_run_is_told_at_once(tmp_path: Path) -> None:
    scaled(tmp_path / "net", RANGE)
    words = [sys.executable, "-c", KILLED, str(tmp_path / "net"), str(tmp_path / "run")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        while (under_way := about(tmp_path / "run")).frames <= 20:  # its recorder may just be starting
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    cut = about(tmp_path / "run")
    for each in (under_way, cut):
        assert each.ledger is None
        assert each.frames > 20
        assert each.results["done"] > 20
        assert each.parameters["net"]["percentile 1"]["n"] > 20
        assert each.stages[0].package_sha256
        assert "were processed before the recording was cut off or read" in methods(each)
    frame = about_frame(open_recording(tmp_path / "run"), "7")
    assert frame.state == "done"
    assert set(frame.parameters["net"]) == {"percentile 1", "percentile 99.8"}


TEXT = st.text(max_size=40) | st.sampled_from(["10.1000/a_b&c", "https://doi.org/10.1000/x", "{", "\x1b[0m", "a`b<c>"])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.builds(Cited, text=TEXT, doi=TEXT, url=TEXT), max_size=4))
def test_papers_of_any_words_give_lines_and_whole_entries(papers: list[Cited]) -> None:
    lines = reference_lines(papers)
    assert len(lines) == len(papers)
    entries = bibtex(papers)
    for text in (*lines, *entries.splitlines()):
        assert text == "" or text.isprintable()
    plain = entries.replace(r"\{", "").replace(r"\}", "")
    depth = 0
    for letter in plain:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0


@given(st.text(max_size=60))
def test_words_of_others_stay_words(text: str) -> None:
    line = one_line(text)
    assert line == "" or line.isprintable()
    assert not set(line) & {"`", "<", ">", "\n"}
