"""A truth that cannot be saved: the run ends in order, says so, and its exit code is not 0."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from onscope.drivers.truth import read_truth
from onscope.runtime.record import open_recording

from .test_demo_specimen import MINE


@pytest.mark.long
def test_a_truth_that_was_not_saved_is_exit_code_1(pipeline_file: Path, tmp_path: Path) -> None:
    """Pass: the raw frames are all there, the summary names what ended the truth, and the exit code is 1."""
    out, mine = tmp_path / "out", tmp_path / "mine.yaml"
    mine.write_text(MINE, encoding="utf-8")
    words = ["demo", "--specimen", mine, "--frames", "60", "--pipeline", pipeline_file, "--out", out, "--truth"]
    child = subprocess.Popen(
        [sys.executable, "-m", "onscope.cli", *map(str, words), "--worker", "thread"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    chunks = out / "truth" / "counts.ome.zarr" / "0" / "c"
    while child.poll() is None and not chunks.is_dir():
        time.sleep(0.01)
    chunks.rename(tmp_path / "taken")
    chunks.write_text("in its place", encoding="utf-8")
    said, wrong = child.communicate(timeout=100)
    assert child.returncode == 1, said + wrong
    assert "Traceback" not in said + wrong
    line = next(line for line in said.splitlines() if line.startswith("not complete: "))
    assert "the truth of" in line
    assert "could not be written" in line
    assert len(open_recording(out)) == 60
    assert read_truth(out).about["state"] == "interrupted"
