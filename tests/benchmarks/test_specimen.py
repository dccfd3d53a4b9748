"""The specimen's benchmark at a tiny size: what it reports, not how fast it is."""

from __future__ import annotations

from benchmarks.specimen import WAYS, Way, measured


def test_a_row_counts_cells_frames_and_times() -> None:
    found = measured(Way("live", 160, 0.02, "nuclei", 50.0), frames=5)
    assert (found.name, found.size, found.frames) == ("live", 160, 5)
    assert found.cells >= 1
    assert 0 < found.p50_ms <= found.p99_ms
    assert found.frames_per_s > 0


def test_both_budgets_are_measured() -> None:
    assert {(way.size, way.budget) for way in WAYS if way.budget} == {(512, 50.0), (2048, 5.0)}
