"""The specimen's benchmark at a tiny size: what it reports, not how fast it is."""

from __future__ import annotations

import pytest
from benchmarks.specimen import WAYS, Way, measured


@pytest.mark.parametrize(
    "way",
    [
        Way("live", 128, 20.0, budget=50.0),
        Way("live, nothing ahead", 128, 20.0, ahead=False),
        Way("time lapse", 128, 20.0, lapse_s=1.0),
        Way("stage moving", 128, 20.0, moving=True),
    ],
)
def test_a_row_counts_cells_frames_and_times(way: Way) -> None:
    found = measured(way, seconds=0.3)
    assert (found.name, found.size, found.budget) == (way.name, 128, way.budget)
    assert found.cells >= 1
    assert found.frames >= 1
    assert found.skipped >= 0
    assert 0 < found.late_p50_ms <= found.late_p99_ms
    assert 0 <= found.frames_per_s < 50
    assert found.cpu_ms > 0


def test_both_budgets_are_measured() -> None:
    assert {(way.size, way.budget) for way in WAYS if way.budget} == {(512, 50.0), (2048, 5.0)}
