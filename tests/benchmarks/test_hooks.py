"""The benchmark of the hooks runs at tiny sizes and reports in one shape. No times are asserted here."""

from __future__ import annotations

import json

import pytest
from benchmarks._report import PLACES, README, as_json, conditions
from benchmarks.hooks import NAMES, TINY, measure


@pytest.mark.long
def test_each_hook_has_its_rows_and_every_frame_its_turn() -> None:
    rows = list(measure(TINY, NAMES, lambda text: None))
    json.loads(as_json(rows, conditions()))
    assert [row.what.split(",")[0] for row in rows] == [name for name in NAMES for _ in range(2)]
    (case,) = TINY.cases
    for row in rows:
        assert row.ratio is not None, row.ours
        assert row.detail["frames"] == case.frames
        assert sum(row.detail["ledger"].values()) == case.frames // 2
        assert row.detail["ledger"]["failed"] == row.detail["ledger"]["lost_upstream"] == 0
    assert all(line in README.read_text(encoding="utf-8") for line in PLACES["hooks"])
