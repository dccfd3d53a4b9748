"""Cards: what was measured of a package comes back as it was written, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.export.zoo.systems import Card, Cost, LiveRun, Score

CARD = Card(
    system="a-system",
    weights_sha256="0" * 64,
    parameters=1234,
    parity=1e-6,
    trained=True,
    cost=Cost(12.5, 13.0, (512, 512), 1, 15, "cpu", 1, "a machine"),
    live=LiveRun("specimen:spots", 24, 20, 4, 0, 0, 12.0, 14.0),
    scores=(Score("cells", "PSNR", "dB", (30.0, 31.0), {"Gaussian": (28.0, 28.5)}),),
    versions={"numpy": "2"},
)


def test_a_card_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    CARD.save(tmp_path / "quality.json")
    assert Card.load(tmp_path / "quality.json") == CARD


@pytest.mark.parametrize(
    ("change", "works"),
    [
        ({}, True),
        ({"done": 0, "skipped": 24}, False),
        ({"failed": 1, "done": 19}, False),
        ({"lost": 1}, False),  # 25 frames of 24
    ],
)
def test_it_works_where_answers_came_none_failed_and_all_frames_are_accounted_for(
    change: dict[str, Any], works: bool
) -> None:
    assert replace(CARD, live=replace(CARD.live, **change)).works is works


NUMBERS = st.floats(-1e9, 1e9)


@settings(deadline=None)
@given(data=st.data(), seeds=st.integers(1, 5), less=st.booleans())
def test_any_scores_come_back_as_they_were_saved(data: st.DataObject, seeds: int, less: bool) -> None:
    values = st.lists(NUMBERS, min_size=seeds, max_size=seeds).map(tuple)
    network, others = data.draw(values), data.draw(st.dictionaries(st.text(max_size=8), values, max_size=3))
    card = replace(CARD, scores=(Score("samples", "metric", "", network, others, less),))
    with TemporaryDirectory() as place:
        card.save(file := Path(place) / "card.json")
        assert Card.load(file) == card


@pytest.mark.parametrize("name", ["schema", "system", "parameters", "parity", "cost", "live", "scores", "versions"])
@pytest.mark.parametrize("value", [None, True, [[]], "x", {"x": 1}])
def test_what_is_no_card_is_refused_in_a_sentence(name: str, value: object, tmp_path: Path) -> None:
    if (name, value) == ("system", "x"):
        return  # a name like any other
    CARD.save(file := tmp_path / "card.json")
    told = json.loads(file.read_text(encoding="utf-8"))
    told[name] = value
    file.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ValueError, match=r"unlike a card \(.*expected what the measurement wrote"):
        Card.load(file)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 1}'])
def test_other_texts_are_refused_in_a_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="expected what the measurement wrote"):
        Card.load(tmp_path / "card.json")


@pytest.mark.parametrize(("load", "busy"), [(None, True), (0.3, False), (2.5, True)])
def test_times_beside_other_work_are_known_as_such(load: float | None, busy: bool) -> None:
    assert replace(CARD.cost, load=load).busy is busy
