"""`onscope run --budget --degrade`: both or none, and what a recording has of it."""

from __future__ import annotations

from pathlib import Path

from onscope.runtime.record import open_recording
from tests import models
from tests.cli.conftest import Call, call  # noqa: F401


def test_a_run_with_a_budget(call: Call, tmp_path: Path) -> None:  # noqa: F811
    models.plus_one(tmp_path / "plus")
    pipeline = tmp_path / "pipeline.yaml"
    pipeline.write_text("schema: 1\nstages:\n  plus: {package: plus}\n")
    out = tmp_path / "out"
    source = ["--source", "scripted:fps=50,n=60,size=64", "--out", out, "--worker", "thread"]
    said = call("run", pipeline, *source, "--budget", "0.001", "--degrade", "roi=0.5", "--degrade", "every=2")
    assert said.code == 0, said.out + said.err
    run = open_recording(out)
    assert run.manifest["budget"]["steps"] == ["roi=0.5", "every=2"]
    assert [each["after"] for each in run.manifest["budget_changes"]][:1] == [1]
    assert len(run.table("frames")) == 60
    again = call("verify", out)
    assert again.code == 0, again.out + again.err
    alone = call("run", pipeline, *source, "--budget", "40")
    assert alone.code != 0
    assert "expected both" in alone.out + alone.err
