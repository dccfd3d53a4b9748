"""The demo's networks on real recordings far from their training; docs/real-recordings.md tells what they do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from onscope.runtime.record import open_recording

from .conftest import Call

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = str(ROOT / "docs" / "examples" / "pipeline.yaml")


@pytest.mark.long
@pytest.mark.real_data
def test_spots_in_tissue(call: Call, shared_data: Path, tmp_path: Path) -> None:
    image = shared_data / "spots_hybiss_spotiflow" / "img_hybiss_2d.tif"
    done = call("run", PIPELINE, "--source", f"replay:{image}", "--out", str(tmp_path / "out"))
    assert done.code == 0, done.err
    run = open_recording(tmp_path / "out")
    assert np.array_equal(run.frame(0).pixels, tifffile.imread(image))
    assert 100 < run.table("spots").num_rows < 300
    assert (tmp_path / "out" / "overview.png").stat().st_size > 100_000


@pytest.mark.long
@pytest.mark.real_data
def test_dark_colloids_are_no_bright_spots(call: Call, shared_data: Path, tmp_path: Path) -> None:
    movie = shared_data / "timelapse_colloids_trackpy"
    words = ["run", PIPELINE, "--source", f"replay:{movie}", "--grey", "--frames", "10", "--out", str(tmp_path / "out")]
    done = call(*words)
    assert done.code == 0, done.err
    run = open_recording(tmp_path / "out")
    assert len(run) == 10
    assert run.frame(0).pixels.shape == (424, 640)
    assert run.table("spots").num_rows < 5
