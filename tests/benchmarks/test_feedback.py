"""The benchmark of feedback runs at tiny sizes and reports in one shape. No times are asserted here."""

from __future__ import annotations

import json

import pytest
from benchmarks._report import as_json, conditions
from benchmarks.feedback import TINY
from benchmarks.feedback._kills import KINDS, kills
from benchmarks.feedback._latency import LOADS, latency


@pytest.mark.long
def test_latency_has_a_row_for_every_way_of_running() -> None:
    rows = latency(TINY, lambda text: None)
    json.loads(as_json(rows, conditions()))
    ways = {(row.detail["worker"], row.detail["rules_in"], row.detail["load"]) for row in rows}
    assert len(ways) == len(rows) == 4 * len(LOADS)
    for row in rows:
        assert 0 < row.detail["latency_ms"]["p50"] <= row.detail["latency_ms"]["p99"] <= row.detail["latency_ms"]["max"]
        assert len(row.detail["median_steps_ms"]) == 3


@pytest.mark.long
def test_every_kill_ends_in_the_safe_state() -> None:
    rows = kills(TINY, lambda text: None)
    assert len(rows) == len(KINDS)
    for row in rows:
        assert len(row.detail["ms"]) == TINY.kills
        assert all(each > 0 for each in row.detail["ms"])
