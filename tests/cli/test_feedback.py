"""`onscope run --rules`: rules beside a run, in shadow mode and armed, on the specimen in a real core."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.runtime.feedback.journal import read_journal
from onscope.runtime.record import open_recording

from .conftest import Call

RULES = """
schema: 1
rules:
  always:
    when: {found.count: {above: -1}}
    then:
      - move_stage: {x_um: 241, y_um: 240}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


@pytest.mark.long
@pytest.mark.parametrize("armed", [False, True])
def test_rules_beside_a_run(call: Call, pipeline_file: Path, rules: Path, tmp_path: Path, armed: bool) -> None:
    out, doses = tmp_path / "out", tmp_path / "doses.jsonl"
    words = ["run", pipeline_file, "--source", "specimen:dividing-cells", "--frames", 4, "--out", out]
    said = call(*words, "--rules", rules, "--doses", doses, *(["--arm"] if armed else []))
    assert said.code == 0, said.out + said.err
    told = " ".join(said.out.split())
    assert ("shadow mode: NOTHING is carried out" in told) != armed
    assert ("shadow mode, nothing was carried out" in told) != armed
    story = read_journal(out / "feedback.jsonl")
    assert story.head.armed == armed
    moves = [each for each in story if each.kind == "move_stage"]
    assert moves
    assert any(each.commands for each in moves) == armed
    assert len(open_recording(out)) == 4
    assert doses.stat().st_size > 0
    assert call("verify", out).code == 0  # the journal is among the files that it knows


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--arm"], "--rules FILE"),
        (["--doses", "doses.jsonl"], "--rules FILE"),
        (["--rules", "none.yaml"], "cannot be read"),
    ],
)
def test_options_that_do_not_fit_are_named(
    call: Call, pipeline_file: Path, tmp_path: Path, words: list[str], expected: str
) -> None:
    out = tmp_path / "out"
    said = call("run", pipeline_file, "--source", "specimen:dividing-cells", "--frames", 1, "--out", out, *words)
    assert said.code == 1
    assert expected in " ".join(said.err.split())
    assert not out.exists()


def test_a_recording_has_no_microscope(
    call: Call, pipeline_file: Path, stack: Path, rules: Path, tmp_path: Path
) -> None:
    said = call("run", pipeline_file, "--source", f"replay:{stack}", "--out", tmp_path / "out", "--rules", rules)
    assert said.code == 1
    assert "onscope rehearse" in " ".join(said.err.split())


HEARTBEAT = "schema: 1\nheartbeat: {device: Lamp 546, property: Power_mW, values: [0.0001, 0.0002], period_s: 0.01}\n"


@pytest.mark.long
@pytest.mark.parametrize(("device", "code"), [("Lamp 546", 0), ("Arduino", 1)])
def test_the_heartbeat_of_a_calibration(
    call: Call, pipeline_file: Path, rules: Path, tmp_path: Path, device: str, code: int
) -> None:
    calibration = tmp_path / "scope.yaml"
    calibration.write_text(HEARTBEAT.replace("Lamp 546", device))
    words = ["run", pipeline_file, "--source", "specimen:dividing-cells", "--frames", 3, "--out", tmp_path / "out"]
    said = call(*words, "--rules", rules, "--calibration", calibration)
    assert said.code == code, said.out + said.err
    assert ("the heartbeat's line Arduino-Power_mW does not answer" in said.err) == bool(code)
    assert (tmp_path / "out").exists() != bool(code)
