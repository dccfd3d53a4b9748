"""The benchmark of the link runs at tiny sizes and reports in one shape. No times are asserted here."""

from __future__ import annotations

import json

import pytest
from benchmarks._report import PLACES, README, as_json, conditions
from benchmarks.remote import NAMES, TINY, measure


@pytest.mark.long
def test_each_measurement_has_its_rows() -> None:
    rows = measure(TINY, [name for name in NAMES if name != "packing"], lambda text: None)
    json.loads(as_json(rows, conditions()))
    assert [row.what.split(",")[0] for row in rows] == [
        "64 x 64 uint16 over loopback", "latency p50", "latency p99",
    ]  # fmt: skip
    assert all(row.ratio is not None for row in rows)
    assert all(line in README.read_text(encoding="utf-8") for line in PLACES["remote"])
