"""`onscope run --source replay:...` with its options."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from onscope.drivers import replay
from onscope.runtime import Runtime, block
from onscope.runtime.record import open_recording
from tests import models

from .conftest import Call


def test_frame_by_frame_from_the_keyboard(
    call: Call, pipeline_file: Path, stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n2\nq\n\n"))
    out = tmp_path / "out"
    said = call("run", pipeline_file, "--source", f"replay:{stack}", "--out", out, "--worker", "thread", "--step")
    assert said.code == 0, said.err
    run = open_recording(out)
    assert [frame.id.seq for frame in run.frames()] == [0, 1, 2]
    assert run.manifest["notes"]["source"] == f"replay of {stack}"


def test_steps_are_for_replays(call: Call, pipeline_file: Path, tmp_path: Path) -> None:
    said = call("run", pipeline_file, "--source", "scripted:n=3", "--out", tmp_path / "out", "--step")
    assert said.code == 1
    assert "option 'step' for the source scripted" in said.err


def test_images_are_picked(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = call(
        "run", pipeline_file, "--source", f"replay:{stack}", "--out", out, "--worker", "thread", "--pick", "t=3"
    )
    assert said.code == 0, said.err
    assert [dict(frame.index) for frame in open_recording(out).frames()] == [{"t": 3}]
    said = call("run", pipeline_file, "--source", f"replay:{stack}", "--out", tmp_path / "other", "--pick", "three")
    assert said.code == 1
    assert "expected axes and numbers: c=1" in said.err


@pytest.mark.long
def test_trouble_on_purpose_is_told_in_the_recording(
    call: Call, pipeline_file: Path, stack: Path, tmp_path: Path
) -> None:
    counts = []
    for name in ("first", "second"):
        words = ["run", pipeline_file, "--source", f"replay:{stack}", "--out", tmp_path / name]
        said = call(*words, "--faults", "seed=3,drop=20%,fail=20%")
        assert said.code == 0, said.out + said.err
        run = open_recording(tmp_path / name)
        counts.append([(row["seq"], row["state"]) for row in run.table("results").to_pylist()])
        note = run.manifest["notes"]["faults"]
        assert note.startswith("on purpose, seed=3,drop=20%x1,fail=20%; of the camera: ")
        assert f"faults: {note}" in said.out
        assert 0 < len(run) < 12
    assert counts[0] == counts[1]
    assert 0 < len(counts[0]) < len(run)
    said = call("run", pipeline_file, "--source", f"replay:{stack}", "--faults", "rain=3%")
    assert said.code == 1
    assert "found 'rain=3%' in a schedule of faults" in said.err


@pytest.mark.long
def test_a_replay_is_held_against_its_recording(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    live, again = tmp_path / "live", tmp_path / "again"
    words = ["--faults", "seed=1,drop=10%,fail=20%"]
    assert call("run", pipeline_file, "--source", f"replay:{stack}", "--out", live, *words).code == 0
    said = call("run", pipeline_file, "--source", f"replay:{live}", "--out", again, "--compare", live)
    assert said.code == 0, said.out + said.err
    results = open_recording(live).table("results").num_rows
    frames = len(open_recording(live))
    assert 0 < results < frames
    assert f"raw frames: {frames} in both, equal to the bit" in said.out
    for stage in ("plus", "double", "found"):
        assert f"{stage}: {results} in both, equal to the bit" in said.out
    assert f"results in one alone: {frames - results} here" in said.out
    assert "plus: another provider (cpu and scripted:" in said.out
    assert "what both recordings have is equal to the bit" in said.out
    said = call(
        "run", pipeline_file, "--source", f"replay:{live}", "--out", tmp_path / "same", "--admission", "as_recorded"
    )
    assert said.code == 0, said.err
    assert f"{results} done" in said.out
    assert f"{frames - results} skipped(as recorded)" in said.out


@pytest.mark.long
def test_a_replay_is_changed_as_its_recording_was(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    live = tmp_path / "live"
    other = models.plus(tmp_path / "other", 2)
    with Runtime(pipeline_file, worker="thread", admission=block(2), record=live) as runtime:
        for number, frame in enumerate(replay(stack).frames()):
            runtime.submit(frame)
            assert runtime.drain(60)
            if number == 3:
                runtime.tune("found", threshold=3.0)
            elif number == 6:
                runtime.swap("plus", other)
    frames = len(open_recording(live))
    said = call("run", pipeline_file, "--source", f"replay:{live}", "--out", tmp_path / "again", "--compare", live)
    assert said.code == 0, said.out + said.err
    assert "changed as in the recording: numbers 1 times, packages 1 times" in said.out
    for stage in ("plus", "double", "found"):
        assert f"{stage}: {frames} in both, equal to the bit" in said.out
    shutil.rmtree(other.folder)
    said = call("run", pipeline_file, "--source", f"replay:{live}", "--out", tmp_path / "less", "--compare", live)
    assert said.code == 0, said.out + said.err
    assert "plus: 7 in both, equal to the bit" in said.out
    assert f"left out: {frames - 7} results" in said.out
    assert f"{frames - 7} frames: the package" in said.out
    assert "was not found" in said.out


@pytest.mark.long
def test_a_recording_of_other_frames_has_nothing_in_common(
    call: Call, pipeline_file: Path, stack: Path, tmp_path: Path
) -> None:
    one = tmp_path / "one"
    assert call("run", pipeline_file, "--source", f"replay:{stack}", "--out", one).code == 0
    said = call("run", pipeline_file, "--source", f"replay:{stack}", "--out", tmp_path / "two", "--compare", one)
    assert said.code == 1
    assert "no frame is in both, expected a replay" in said.out
    said = call("run", pipeline_file, "--source", "scripted:n=3", "--admission", "as_recorded")
    assert said.code == 1
    assert "expected replay:RUN, a recording" in said.err
    said = call("run", pipeline_file, "--source", f"replay:{stack}", "--compare", tmp_path)
    assert said.code == 1
    assert "no recording.json" in said.err
