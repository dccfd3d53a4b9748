"""The benchmark of many microscopes at a tiny size: its report's shape, and real processes that share a server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from benchmarks.capacity._cases import pipeline_in
from benchmarks.capacity._engine import register
from benchmarks.capacity._hundred import saturation, sweep
from benchmarks.capacity._picture import draw
from benchmarks.capacity._shared import STAND_IN, Case, shared
from benchmarks.capacity._table import SHOWN, as_markdown
from PIL import Image

AROUND = {"machine": {"cpu": "c", "cores": 2, "system": "s"}, "taken": "2026-01-01T00:00", "load_before": [0.1]}


def test_a_sweep_is_drawn_and_told(tmp_path: Path) -> None:
    found = sweep(0.5, SHOWN, lambda text: None)
    points = found["points"]
    for some in points.values():
        assert all(sum(each.outcome.whole.ends.values()) == each.outcome.whole.frames for each in some)
    assert saturation(points["10 ms"]) >= 0.8
    assert points["10 ms"][-1].outcome.priorities[1].ran > points["10 ms"][-1].outcome.priorities[2].ran
    draw(points, [], "title", tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (1500, 1150)
    table = as_markdown(points, [], AROUND, 1.0)
    assert "**assumed**" in table
    assert table.count("\n| ") >= 2 * (len(points) - 2)


@pytest.mark.slow
def test_processes_share_a_server_as_predicted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))  # which `register` adds to
    register(tmp_path)
    case = Case("two", 40.0, (1, 2), {1: 40.0})
    (came,) = shared(STAND_IN, [case], pipeline_in(tmp_path), 2.0, tmp_path)
    assert set(came.predicted) == set(came.measured) == {"all", "priority 1", "priority 2"}
    assert came.measured["all"].frames == 160
    assert sum(came.measured["all"].ends.values()) == 160
    # More than three times what one instance of 40 ms can do, whatever else the machine does.
    assert came.predicted["all"].ran < 0.5
    assert came.measured["all"].ran < 0.5
