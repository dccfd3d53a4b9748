"""A simulation beside real Runtimes: the same words for what became of frames, and numbers of the same kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.runtime import Pipeline, Stage, keep_newest
from onscope.runtime.capacity import check, run_live
from tests import models

pytestmark = pytest.mark.slow


def plus(folder: Path) -> Pipeline:
    return Pipeline([Stage("plus", models.plus_one(folder / "plus"))])


def test_a_run_is_accounted_for_in_a_simulations_words(tmp_path: Path) -> None:
    live = run_live(
        plus(tmp_path), provider="null:50", fps=60, frames=90, n=2, admission=keep_newest(1, deadline_ms=80)
    )
    assert live.fate.frames == 180
    assert sum(live.fate.ends.values()) == 180
    assert set(live.fate.ends) <= {"done", "late", "skipped(queue)", "skipped(expired)"}
    assert live.fate.ends["skipped(queue)"] > 0
    assert len(live.stamps) == live.fate.ends.get("done", 0) + live.fate.ends.get("late", 0)
    assert min(live.worker_ms) >= 50


def test_what_is_predicted_is_near_what_is_measured(tmp_path: Path) -> None:
    """Far beyond what the workers can do, the share of frames run is theirs, however busy the machine is besides."""
    (checked,) = check(plus(tmp_path), "null:40", 40.0, n=2, loads=(3.0,), seconds=3)
    assert checked.predicted.ran < 0.5
    assert checked.measured.ran < 0.5
    assert 0.4 < checked.ratios["run"] < 2.5
    assert set(checked.ratios) == {"p50", "p95", "p99", "run"}
