"""The benchmark of the live view runs at tiny sizes and reports in one shape. No times are asserted here."""

from __future__ import annotations

import json

import pytest
from benchmarks._report import PLACES, README, as_json, conditions
from benchmarks.view import NAMES, TINY, measure


@pytest.mark.long
def test_rows_of_every_part() -> None:
    rows = measure(TINY, NAMES, lambda text: None)
    json.loads(as_json(rows, conditions()))
    costs = [row for row in rows if row.ratio is not None]
    assert {row.detail["threads"] for row in costs} >= {None}
    for row in costs:
        assert row.detail["ratios"]["n"] == TINY.rounds
        assert row.detail["slow"] == 1
        assert row.detail["updates_per_s"][0] > 0
    (aged,) = (row for row in rows if row.ratio is None)
    assert 0 < aged.detail["age_ms"]["p50"] <= aged.detail["p95"] <= aged.detail["age_ms"]["max"]
    assert aged.detail["shown"] <= 1
    assert aged.detail["done"] >= TINY.aged


def test_the_readme_has_a_place_for_it() -> None:
    assert all(mark in README.read_text(encoding="utf-8") for mark in PLACES["view"])
