"""The benchmark of trust values runs at tiny sizes and reports in one shape. No times are asserted here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks._report import PLACES, README, as_json, conditions
from benchmarks.trust import TINY, measure
from benchmarks.trust._found import auc, curve
from benchmarks.trust._kinds import ANSWERS, FRAMES, NUCLEI, Draw, Nuclei, good
from benchmarks.trust._picture import draw
from PIL import Image


@pytest.mark.long
def test_rows_have_their_numbers_and_a_picture(tmp_path: Path) -> None:
    rows = measure(TINY, ["found", "cost"], lambda text: None)
    json.loads(as_json(rows, conditions()))
    kinds = {*FRAMES, *ANSWERS, NUCLEI}
    for base in ("own", "recipe"):
        assert {row.detail["kind"] for row in rows if row.detail.get("limits") == base} == {"good", *kinds}
    for row in rows:
        for values in row.detail.get("auc", {}).values():
            assert len(values) == TINY.seeds
            assert all(0 <= value <= 1 for value in values)
    given_back = next(row for row in rows if row.detail.get("kind") == "answer: the frame given back")
    assert np.mean(given_back.detail["auc"]["removed"]) == 1
    draw(rows, tmp_path / "trust.png")
    assert np.asarray(Image.open(tmp_path / "trust.png")).std() > 5
    assert all(line in README.read_text(encoding="utf-8") for line in PLACES["trust"])


def test_areas_and_curves_are_those_of_the_textbook() -> None:
    low, high = np.array([0.0, 1.0, 2.0]), np.array([3.0, 4.0])
    assert auc(low, high) == 1
    assert auc(high, low) == 0
    assert auc(low, low) == pytest.approx(0.5)
    assert curve(low, high) == [1.0] * 21
    assert curve(low, low)[0] == 0
    assert curve(low, low)[-1] == 1
    random = np.random.default_rng(0).normal(size=(2, 4000))
    assert np.abs(np.array(curve(*random)) - np.linspace(0, 1, 21)).max() < 0.05


def test_every_kind_of_frame_is_another_one() -> None:
    frames = {name: change(Draw("own", 5, 128)) for name, change in FRAMES.items()}
    frames |= {"good": good(Draw("own", 5, 128)), NUCLEI: Nuclei(1).frame(128)}
    for name, frame in frames.items():
        assert frame.dtype == np.uint16, name
        assert frame.shape == (128, 128), name
    assert len({frame.tobytes() for frame in frames.values()}) == len(frames)
    saturated = frames["3 % saturated"]
    assert 0.015 < float((saturated == saturated.max()).mean()) < 0.08
