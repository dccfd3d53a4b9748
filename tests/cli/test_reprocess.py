"""`onscope reprocess` as a user calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from onscope.runtime import Pipeline
from onscope.runtime.record import open_recording
from tests import models
from tests.reprocess.made import assert_same, record

pytest.importorskip("distributed")


def onscope(*words: str | Path) -> subprocess.CompletedProcess[str]:
    told = [sys.executable, "-m", "onscope.cli", "reprocess", *map(str, words)]
    return subprocess.run(told, capture_output=True, text=True, timeout=200)


@pytest.mark.slow
def test_recordings_are_computed_and_the_second_time_nothing_is(tmp_path: Path) -> None:
    """Pass: two recordings are computed, a second call does nothing and says so, and errors are one sentence."""
    models.plus_one(tmp_path / "plus")
    path = tmp_path / "pipeline.yaml"
    path.write_text(f"schema: 1\nstages:\n  plus:\n    package: {tmp_path / 'plus'}\n")
    for name in ("one", "two"):
        record(tmp_path / name, Pipeline.load(path), [models.frame(n, index={"t": n}) for n in range(8)], models.SPEC)
    words = (tmp_path / "one", tmp_path / "two", "--pipeline", path, "--out", tmp_path / "out", "--workers", "1")
    first = onscope(*words, "--provider", "cpu", "--chunk", "3")
    assert first.returncode == 0, first.stderr
    assert "8 windows, 8 computed now" in first.stdout
    assert "frames: 8 done" in first.stdout
    assert "dashboard: http://127.0.0.1:" in first.stderr
    for name in ("one", "two"):
        assert_same(tmp_path / name, tmp_path / "out" / name, 1)
    second = onscope(*words, "--provider", "cpu", "--chunk", "3")
    assert second.returncode == 0, second.stderr
    assert second.stdout.count("all was computed before, nothing was done") == 2
    wrong = onscope(tmp_path / "none", "--pipeline", path, "--out", tmp_path / "other")
    assert wrong.returncode == 1
    assert "found nothing at" in wrong.stderr
    assert not (tmp_path / "other").exists()
    assert open_recording(tmp_path / "out" / "one").manifest["command"]
