"""`onscope demo --specimen`: a living specimen in place of the demo camera, with small packages for trained ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from onscope.cli._demo import most_frames, pipeline_for
from onscope.drivers.truth import read_truth
from onscope.export.zoo import PACKAGES
from onscope.runtime import Pipeline
from onscope.runtime.record import open_recording

from .conftest import Call

MINE = """schema: 1
name: mine
description: A few cells.
sample: {cells: {count: 40, extent_um: [200, 200]}}
channels:
  nuclei: {dye: nucleus, wavelength_nm: 561, power_mw: 8, exposure_ms: 20, emission_nm: [590, 660]}
acquisition: {interval_s: 1, stage_um: [100, 100], shape: [64, 96]}
"""


@pytest.mark.long
def test_the_specimen_live_with_its_truth(pipeline_file: Path, tmp_path: Path) -> None:
    """Pass: exit code 0, every raw frame there, each with its truth, and a PSNR like that between the two."""
    out, mine = tmp_path / "out", tmp_path / "mine.yaml"
    mine.write_text(MINE, encoding="utf-8")
    words = ["demo", "--specimen", mine, "--frames", "9", "--pipeline", pipeline_file, "--out", out, "--truth"]
    said = subprocess.run(
        [sys.executable, "-m", "onscope.cli", *map(str, words), "--worker", "thread"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "A few cells. Channel nuclei, 20 ms, in real time." in said.stdout
    assert "specimen: mine, nuclei, seed 0" in said.stdout
    assert "truth: 9 frames\n" in said.stdout
    run, told = open_recording(out), read_truth(out)
    frames = list(run.frames())
    assert [frame.id.seq for frame in frames] == list(range(9))
    assert (run.spec().shape, len(told), told.missing) == ((64, 96), 9, 0)
    noise = [frame.pixels - told.of(frame.id).counts for frame in frames]
    peak = float(np.ptp(told.of(frames[0].id).counts))
    expected = 10 * np.log10(peak**2 / np.mean(np.square(noise)))
    assert float(run.manifest["notes"]["PSNR raw"].removesuffix(" dB")) == pytest.approx(expected, abs=0.5)
    assert run.manifest["notes"]["truth"] == "9 frames"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["demo", "--truth"], "found --truth without --specimen"),
        (["demo", "--channel", "nuclei"], "found --channel without --specimen"),
        (["demo", "--specimen", "yeast"], "expected one of bacteria"),
        (["demo", "--specimen", "wound", "--channel", "membranes"], "expected one of phase, nuclei"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(call: Call, tmp_path: Path, words: list[str], said: str) -> None:
    answer = call(*words, "--out", tmp_path / "out")
    assert answer.code == 1
    assert said in " ".join(answer.err.split())
    assert not (tmp_path / "out").exists()


def test_truth_is_asked_of_sources_that_know_it(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    answer = call("run", pipeline_file, "--source", f"replay:{stack}", "--truth", "--out", tmp_path / "out")
    assert answer.code == 1
    assert "found the option 'truth' for the source replay" in " ".join(answer.err.split())
    assert not (tmp_path / "out").exists()


def test_networks_are_chosen_by_what_is_seen() -> None:
    def stages(shows: str) -> list[str]:
        return [stage.name for stage in Pipeline.load(pipeline_for(shows)).stages]

    assert stages("emitters") == ["denoise", "superres", "spots"]
    shipped = (Path(PACKAGES) / "nuclei-cells").is_dir()
    assert stages("nuclei") == ["denoise", "nuclei" if shipped else "superres"]
    assert stages("membrane") == stages("transmitted light") == ["denoise", "superres"]
    assert (most_frames(1.0), most_frames(250.0), most_frames(60_000.0)) == (100, 40, 1)
