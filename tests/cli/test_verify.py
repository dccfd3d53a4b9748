"""`onscope verify` and `onscope repair` from the command line: what they print, and their exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from onscope.runtime import FrameSpec
from onscope.runtime.record import Recording
from tests.record._made import MadeSource

from .conftest import FRAMES, Call


def test_a_run_is_good_and_a_change_is_not(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("run", pipeline_file, "--source", f"replay:{stack}", "--out", out, "--worker", "thread").code == 0
    said = call("verify", out, "--all")
    assert said.code == 0, said.out
    assert said.err == ""
    lines = [line.strip() for line in said.out.splitlines()]
    assert f"ok  account        {FRAMES} frames: {FRAMES} done" in lines
    assert f"ok  computed again {FRAMES} of {FRAMES} results" in lines
    for stage in ("plus", "double", "found"):
        assert f"{stage}: {FRAMES} identical to the bit" in lines
    assert lines[-1] == "nothing is missing, and nothing has changed"
    assert max(map(len, said.out.replace(str(out), "").splitlines())) <= 80
    (out / "overview.png").write_bytes(b"another picture")
    (out / "mine\x1b[31m.txt").write_text("")
    said = call("verify", out, "--sample", "0")
    assert said.code == 1
    assert "overview.png has changed since it was written" in " ".join(said.out.split())
    assert "\x1b[31m" not in said.out, "names are anybody's"
    assert said.out.splitlines()[-1] == "2 faults were found"
    report = json.loads(call("verify", out, "--json", "--sample", "0").out)
    assert (report["good"], report["state"]) == (False, "complete")
    assert [check["name"] for check in report["checks"] if not check["good"]] == ["files"]


@pytest.mark.parametrize("command", ["verify", "repair"])
def test_what_is_no_recording(call: Call, stack: Path, tmp_path: Path, command: str) -> None:
    for place in (tmp_path, tmp_path / "nowhere", stack):
        said = call(command, place)
        assert said.code == 2
        assert "found no recording.json" in " ".join(said.err.split())


def test_repair_says_what_it_does(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with Recording(out) as recording:
        for frame in MadeSource(FrameSpec((16, 16)), 4).frames():
            recording.save(frame)
    said = call("repair", out)
    assert (said.code, said.out) == (0, "nothing to mend\n")
    os.replace(out / "checksums.json", out / "checksums.json.part")
    said = call("repair", out, "--dry-run")
    assert said.code == 0
    assert "1 file (checksums.json.part) not written to the end: to unacknowledged/" in said.out
    assert "nothing was changed" in said.out
    assert (out / "checksums.json.part").exists()
    said = call("repair", out)
    assert said.code == 0
    assert said.out.splitlines()[-1] == "mended: `onscope verify` looks at all of it"
    assert call("repair", out).out == "nothing to mend\n"
    assert call("verify", out).code == 0
    (out / "ledger.csv").write_text("mine")
    (out / "frames.parquet").unlink()
    assert call("repair", out).code == 1
