"""`onscope demo` on a real Micro-Manager core, with small packages in place of the trained ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime.record import open_recording


@pytest.mark.long
def test_the_demo_against_its_truth(pipeline_file: Path, tmp_path: Path) -> None:
    """Pass: exit code 0, every raw frame there, and a PSNR of the raw frames like that of the simulated sensor."""
    out = tmp_path / "out"
    words = ["demo", "--frames", "12", "--exposure-ms", "20", "--pipeline", str(pipeline_file), "--out", str(out)]
    said = subprocess.run(
        [sys.executable, "-m", "onscope.cli", *words, "--worker", "thread"], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    run = open_recording(out)
    assert [frame.id.seq for frame in run.frames()] == list(range(12))
    assert run.spec().shape == (512, 512)
    first, last = run.frame(0).pixels.astype(float), run.frame(11).pixels.astype(float)
    assert np.std(last - first) > 1  # noise, and beads that wander
    notes = run.manifest["notes"]
    raw, plus = (float(notes[f"PSNR {name}"].removesuffix(" dB")) for name in ("raw", "plus"))
    assert 10 < raw < 40
    assert abs(raw - plus) < 1  # adding one count changes little
    assert json.loads((out / "latency.json").read_text())["results"] == run.table("results").num_rows
