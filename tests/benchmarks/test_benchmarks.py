"""The benchmarks run and report in one shape. No times are asserted here, they are what `make bench` is for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from benchmarks._plan import TINY
from benchmarks._report import BEGIN, END, as_json, as_markdown, conditions
from benchmarks._rows import Row, at_least, at_most, spread
from benchmarks.acquire import Job, run
from benchmarks.live import NAMES, measure

EXPECTED = {"submit": 2 * len(TINY.submits), "inside": 2, "replay": 1, "busy": 4, "peers": 4, "restart": 2, "memory": 2}


@pytest.mark.long
@pytest.mark.parametrize("name", EXPECTED)
def test_each_measurement_gives_rows_with_their_numbers(name: str) -> None:
    told: list[str] = []
    rows = measure(TINY, [name], told.append)
    assert told == [f"measuring {name}"]
    assert len(rows) == EXPECTED[name]
    assert all(row.what and re.search(r"\d", row.ours) for row in rows)
    assert all(row.ratio is None or row.ratio > 0 for row in rows)
    content = json.loads(as_json(rows, conditions()))
    assert [row["what"] for row in content["rows"]] == [row.what for row in rows]
    assert content["machine"]["cores"] >= 1
    assert len(as_markdown(rows, conditions()).splitlines()) == 4 + len(rows)


def test_every_frame_of_a_hanging_model_is_accounted_for() -> None:
    (row, *_) = measure(TINY, ["submit"], lambda text: None)
    counts = row.detail["ledger"]
    assert counts["open"] == 4  # two with the worker, two that wait
    assert counts["skipped"] == sum(counts.values()) - 4
    assert row.detail["submit_us"]["n"] == row.detail["copyto_us"]["n"] == TINY.submits[0].frames


def test_budgets_are_met_on_the_right_side() -> None:
    assert at_most("a", "", "", 1.2, 1.3, {}).met
    assert not at_most("a", "", "", 1.4, 1.3, {}).met
    assert at_least("a", "", "", 0.96, 0.95, {}).met
    assert not at_least("a", "", "", 0.94, 0.95, {}).met


def test_a_spread_is_in_order() -> None:
    found = spread([5.0, 1.0, 3.0])
    assert (found["n"], found["min"], found["p50"], found["max"]) == (3, 1.0, 3.0, 5.0)
    assert found["p50"] <= found["p90"] <= found["p99"]


def test_the_readme_has_a_place_for_the_results_and_all_names_are_known() -> None:
    text = Path(__file__).parents[2].joinpath("benchmarks", "README.md").read_text()
    assert text.index(BEGIN) < text.index(END)
    assert set(EXPECTED) < set(NAMES)
    assert all(f"`{name}`" in text for name in NAMES)


def test_a_row_without_a_budget_promises_nothing() -> None:
    assert Row("a", "1 s").met is None


@pytest.mark.long
def test_a_script_that_is_too_slow_ends_its_acquisition_and_not_the_benchmark() -> None:
    outcome = run(Job("pymmcore-plus", "script", 60, size=512, exposure_ms=5.0, buffer_mb=4))
    assert "overflow" in outcome.error.lower()
    assert outcome.saved < 60
    assert outcome.found["results"] < 60


def test_a_process_that_crashes_is_an_outcome() -> None:
    outcome = run(Job("pymmcore-plus", "nobody", 1))  # type: ignore[arg-type]
    assert "KeyError" in outcome.error
    assert outcome.saved == 0
