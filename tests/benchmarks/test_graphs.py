"""The benchmark of compiled graphs runs at tiny sizes and reports in one shape. No times are asserted here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from benchmarks._material import images
from benchmarks._report import PLACES, as_json, as_markdown, conditions
from benchmarks.graphs import NAMES, TINY, measure
from benchmarks.graphs._packages import one_convolution
from benchmarks.graphs._peers import Core, Network, Script, normalised
from benchmarks.graphs._profiled import Profiled
from benchmarks.graphs._turns import medians, ratio, take_turns

LEAST = {"network": 1, "host": 8, "busy": 3, "merged": 2, "engines": 1, "tiles": 1}


@pytest.mark.parametrize("name", NAMES)
def test_each_measurement_gives_rows_with_their_numbers(name: str) -> None:
    told: list[str] = []
    rows = measure(TINY, [name], told.append)
    assert told == [f"measuring {name}"]
    assert len(rows) >= LEAST[name]
    for row in rows:
        assert row.what
        assert re.search(r"\d", row.ours) or row.detail["because"]
        assert row.ratio is None or np.isfinite(row.ratio)
    content = json.loads(as_json(rows, conditions()))
    assert [row["what"] for row in content["rows"]] == [row.what for row in rows]
    assert len(as_markdown(rows, conditions()).splitlines()) == 4 + len(rows)


def test_those_compared_give_the_same_answer(tmp_path: Path) -> None:
    package = one_convolution(tmp_path / "one")
    (frame,) = images(64, 1)
    expected = Core(package, Profiled(package.weights, tmp_path)).run(frame)
    assert expected.dtype == np.uint16
    assert np.abs(Script(Network(package)).run(frame).astype(int) - expected.astype(int)).max() <= 1


def test_kernels_are_told_run_by_run(tmp_path: Path) -> None:
    weights = one_convolution(tmp_path / "one").weights
    several = [Profiled(weights, tmp_path) for _ in range(3)]  # within one second
    for frame in images(64, 5):
        for profiled in several:
            profiled.run([normalised(frame)])
    for profiled in several:
        found = profiled.end()
        assert len(found) == 5
        assert min(found) > 0


def test_all_players_work_on_the_same_frames_and_the_first_of_a_turn_does_not_count() -> None:
    seen: dict[str, list[int]] = {"a": [], "b": []}
    times = take_turns({name: played.append for name, played in seen.items()}, rounds=2, turn=3, warm_up=1)
    assert seen == {name: [0, 0, 1, 2, 3, 0, 1, 2, 3] for name in seen}
    assert [len(one) for one in times["a"]] == [3, 3]


def test_ratios_are_those_of_the_rounds() -> None:
    assert medians([[1.0, 9.0, 2.0], [4.0]]) == [2.0, 4.0]
    assert ratio([2.0, 4.0, 30.0], [4.0, 4.0, 10.0]) == 1.0


def test_the_readme_has_a_place_for_the_results_and_all_names_are_known() -> None:
    text = Path(__file__).parents[2].joinpath("benchmarks", "README.md").read_text()
    begin, end = PLACES["graphs"]
    assert text.index(begin) < text.index(end)
    assert set(LEAST) == set(NAMES)
    assert all(f"`{name}`" in text for name in NAMES)
