"""The benchmark of GPU engines runs at tiny sizes, on what stands for one. No times are asserted here."""

from __future__ import annotations

import json

from benchmarks._report import PLACES, README, as_json, conditions
from benchmarks.gpu import NAMES, TINY, measure


def test_each_measurement_has_its_rows() -> None:
    rows = list(measure(TINY, NAMES, lambda text: None))
    json.loads(as_json(rows, conditions()))
    assert [row.what.split(",")[0] for row in rows] == [
        "inside the worker",
        "inside the worker",
        "across the process boundary",
        "throughput",
    ]
    (case,) = TINY.cases
    assert rows[0].detail["n"] == TINY.frames
    assert rows[0].detail["min"] >= case.sum_ms  # what stands for a GPU takes its time
    assert all(line in README.read_text(encoding="utf-8") for line in PLACES["gpu"])
