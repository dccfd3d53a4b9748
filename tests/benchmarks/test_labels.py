"""The benchmark of labels: its scores by hand, by StarDist's and by traccuracy's; rows at tiny sizes. No times."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks._report import PLACES, README, as_json, conditions
from benchmarks.labels import NAMES, TINY, measure
from benchmarks.labels._classical import laplacians, refined, watersheds
from benchmarks.labels._decode import crowd, flows_of
from benchmarks.labels._scores import OVERLAPS, instance_scores, mean_average_precision, ratio, told
from benchmarks.labels._turns import in_turns

from onscope.export.zoo._matching import matched
from onscope.runtime.decode import STEPS


def test_scores_of_squares_are_those_reckoned_by_hand() -> None:
    truth = np.zeros((40, 40), np.int32)
    truth[2:12, 2:12], truth[20:30, 2:12], truth[2:12, 20:30] = 1, 2, 3
    found = np.zeros_like(truth)
    found[2:12, 2:12] = 7  # the same
    found[20:30, 5:15] = 9  # 70 of 130 pixels: 0.538
    found[30:36, 30:36] = 4  # nothing
    counts = matched(truth, found)
    scores = instance_scores(counts)
    assert scores["F1 0.5"] == pytest.approx(2 * 2 / 6)
    assert scores["F1 0.75"] == pytest.approx(2 * 1 / 6)
    assert scores["mAP"] == pytest.approx((2 / 4 + 9 * 1 / 5) / 10)
    assert mean_average_precision(matched(truth, truth)) == 1
    assert mean_average_precision(matched(np.zeros_like(truth), np.zeros_like(truth))) == 1
    assert mean_average_precision(matched(truth, np.zeros_like(truth))) == 0


def test_average_precision_is_stardists() -> None:
    matching = pytest.importorskip("stardist.matching", reason="stardist is not installed")
    random = np.random.default_rng(3)
    truth = np.kron(np.arange(1, 65).reshape(8, 8), np.ones((12, 12), int)).astype(np.int32)
    truth[::12], truth[:, ::12] = 0, 0
    found = np.roll(truth, (1, 2), (0, 1))
    found[np.isin(found, random.choice(64, 20) + 1)] = 0
    for least in OVERLAPS:
        theirs = matching.matching(truth, found, thresh=least)
        assert matched(truth, found).average_precision(least) == pytest.approx(theirs.accuracy)
        assert matched(truth, found).f1(least) == pytest.approx(theirs.f1)


def test_texts_and_ratios_leave_out_what_is_not_known() -> None:
    scores = [{"F1": 0.5}, {"F1": float("nan")}, {"F1": 0.7}]
    assert told(scores) == "F1 0.600 ± 0.100"
    assert told([{"F1": float("nan")}]) == "F1 -"
    assert ratio(scores, [{"F1": 0.3}], "F1") == pytest.approx(2)
    assert ratio(scores, [{"F1": 0.0}], "F1") is None


def test_classical_ways_find_what_is_plain_to_see() -> None:
    y, x = np.mgrid[:96, :96]
    discs, truth = np.full((96, 96), 100.0), np.zeros((96, 96), np.int32)
    for label, (row, column) in enumerate(((20, 20), (20, 70), (60, 45), (60, 68)), start=1):
        inside = np.hypot(y - row, x - column) < 11
        discs[inside], truth[inside] = 900, label
    frame = np.random.default_rng(0).poisson(discs).astype(np.uint16)
    assert max(matched(truth, found).f1(0.75) for found in watersheds(frame)) == 1
    places = np.array([[20.3, 30.8], [50.6, 60.1], [70.0, 15.5]])
    dots = sum(300 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 1.5**2)) for row, column in places)
    dotted = np.random.default_rng(1).poisson(dots + 20).astype(np.uint16)
    best = min(laplacians(dotted), key=lambda one: (abs(len(one[1]) - 3), -one[0][1]))[1]
    assert np.abs(best[np.argsort(best[:, 0])] - places).max() < 0.4
    assert next(iter(watersheds(np.zeros((32, 32), np.uint16)))).max() == 0
    assert refined(np.zeros((5, 5), np.float32), np.zeros((0, 2), np.intp)).shape == (0, 2)


def test_flows_and_crowds_are_what_decoders_are_timed_on() -> None:
    frame, labels = crowd(192, 25)
    assert frame.dtype == np.uint16
    assert 15 < len(np.unique(labels)) < 45
    found, _ = STEPS["cellpose_flow_dynamics"](
        ("channel", "y", "x"), {"do_3D": False, "cellprob_threshold": 0.0, "flow_threshold": 0.4}
    )(flows_of(labels))
    assert matched(labels, found).f1(0.5) > 0.9


def test_things_take_turns() -> None:
    calls: list[str] = []
    times = in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3)
    assert {name: len(values) for name, values in times.items()} == {"a": 3, "b": 3}
    assert "".join(dict.fromkeys(calls)) == "ab"


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_measurement_gives_rows_with_their_numbers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONSCOPE_SHARED_DATA", raising=False)
    heard: list[str] = []
    rows = list(measure(TINY, [name], heard.append))
    assert bool(rows) == bool(heard) == (name != "real")
    for row in rows:
        assert row.ours
        assert row.detail
        assert row.ratio is None or np.isfinite(row.ratio)
    json.loads(as_json(rows, conditions()))
    assert all(line in README.read_text(encoding="utf-8") for line in PLACES["labels"])


@pytest.mark.long
@pytest.mark.real_data
def test_real_images_have_rows_of_their_own(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONSCOPE_SHARED_DATA", str(shared_data))
    rows = list(measure(TINY, ["real"], lambda text: None))
    scores = rows[0].detail["ours"]
    assert scores["F1 0.5"][0] > 0.85
    assert rows[0].met
