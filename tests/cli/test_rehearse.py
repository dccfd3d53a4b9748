"""`onscope rehearse`: on a specimen with the truth as detector, on its networks, and on a recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from onscope.runtime.feedback.journal import read_journal

from .conftest import Call

RULES = """
schema: 1
rules:
  mitosis:
    each: phase
    when: {score_metaphase: {above: 0.5}}
    then: [tiles: {rows: 1, columns: 1}]
    cooldown: 5 minutes per object
"""
SCENARIO = """
schema: 1
name: busy
description: Cells of which many divide.
sample:
  cells: {count: 24, extent_um: [110, 110], mitotic_fraction: 0.3, cycle_h: 3}
  age_s: 600
microscope:
  objective: {magnification: 20, na: 0.75, immersion_index: 1.0}
channels:
  nuclei: {dye: nucleus, wavelength_nm: 561, power_mw: 8, exposure_ms: 50, emission_nm: [590, 660]}
acquisition: {interval_s: 120, stage_um: [55, 55], shape: [200, 200]}
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "busy.yaml").write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.long
def test_a_specimen_with_a_sweep(files: Path, call: Call) -> None:
    said = call(
        *("rehearse", "rules.yaml", "--on", "specimen:busy.yaml", "--hours", "0.6", "--seed", "4", "--out", "out"),
        *("--detector", "truth:0.9,0.98", "--event", "metaphase", "--sweep", "mitosis.threshold=0.5:0.9:3"),
    )
    assert said.code == 0, said.err
    assert "mitosis" in said.out
    told = json.loads((files / "out" / "report.json").read_text())
    assert told["hours"] == pytest.approx(0.6)
    assert told["frames"] == 18
    assert told["actions"]["visit"] == told["taken"] == told["scores"][0]["done"] > 0
    assert [each["value"] for each in told["sweep"]] == pytest.approx([0.5, 0.7, 0.9])
    assert told["sweep"][0]["scores"] == told["scores"]
    asked = [sum(score["proposals"] for score in each["scores"]) for each in told["sweep"]]
    assert asked[0] >= asked[-1]
    assert len(read_journal(files / "out" / "journal.jsonl")) == told["scores"][0]["proposals"]
    with Image.open(files / "out" / "sweep.png") as image:
        assert image.size[0] > 1000


def test_networks_on_a_specimen_and_in_shadow(files: Path, call: Call) -> None:
    said = call(
        *("rehearse", "rules.yaml", "--on", "specimen:busy.yaml", "--hours", "0.1", "--shadow", "--out", "out"),
        *("--provider", "cpu", "--threads", "1"),
    )
    assert said.code == 0, said.err
    told = json.loads((files / "out" / "report.json").read_text())
    assert (told["answers"], told["results"], told["taken"], told["armed"]) == ("networks", 3, 0, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--on", "specimen:nothing"], "found scenario 'nothing'"),
        (["--on", "nowhere"], "nowhere"),
        (["--on", "specimen:busy.yaml", "--detector", "guess"], "expected networks, truth"),
        (["--on", "specimen:busy.yaml", "--detector", "truth:2"], "expected shares from 0 to 1"),
        (["--on", "specimen:busy.yaml", "--sweep", "mitosis.gain=0:1:3"], "found 0 numbers"),
    ],
)
def test_what_cannot_be_rehearsed_is_told_in_one_sentence(
    files: Path, call: Call, arguments: list[str], words: str
) -> None:
    said = call("rehearse", "rules.yaml", *arguments, "--out", "refused")
    assert said.code == 1
    assert words in said.err
    assert not (files / "refused").exists()
