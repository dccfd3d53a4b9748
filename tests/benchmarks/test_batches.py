"""The benchmark of batches runs and reports. No times are asserted."""

from __future__ import annotations

from benchmarks.batches import SIZES, TINY, measure


def test_each_size_of_batch_gives_a_row() -> None:
    told: list[str] = []
    rows = measure(TINY, told.append)
    assert told == ["measuring mitosis-cells"]
    assert len(rows) == len(SIZES)
    assert all(row.ratio is not None and row.ratio > 0 and "windows/s" in row.ours for row in rows)
