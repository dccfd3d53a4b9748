"""Whatever stands in the place of what a box says of a lane or a window: it is refused, or what was asked for."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime.clocks import Reading
from onscope.runtime.remote.clock import OtherClock
from onscope.runtime.remote.link._done import Asked, Spans, checked_done
from onscope.runtime.remote.link._machine import clocks, provider_of
from onscope.runtime.remote.link._opened import LARGEST_ANSWER, Expected, Opened, checked_opened
from onscope.runtime.remote.link._words import MOST_WORDS, sentence
from onscope.runtime.remote.wire import WireError

TOOK_NS = 1000
IMAGE = {"stage": "image", "shape": [4, 6], "dtype": "float32", "axes": "yx", "columns": [], "dtypes": []}
TABLE = {
    "stage": "table",
    "shape": [5],
    "dtype": "",
    "axes": "i",
    "columns": ["y", "n"],
    "dtypes": ["float64", "int32"],
}
ANSWERS: list[Any] = [{**each, "provider": "cpu", "graph": "a" * 64} for each in (IMAGE, TABLE)]
ASKED = {"stages": [{"name": "image"}, {"name": "table"}], "ways": [{"stages": [{"name": "image"}]}], "provider": "cpu"}
OPENED = {"kind": "opened", "lane": 0, "answers": ANSWERS, "ways": [ANSWERS, [ANSWERS[0], None]], "warm_ns": 7}
OPENED |= {"ways_warm_ns": [7, 3], "report": ["fused"], "warnings": [], "graphs": [{"stages": ["image"]}]}
OPENED |= {"way_graphs": [[]], "provider": "cpu"}
FROZEN = {"graph": 0, "channel": 2, "stages": ["image"], "statistics": ["low", "high"], "values": [[1.0], None]}
DONE = {"kind": "done", "window": 1, "reset": False, "warnings": [], "frozen": [FROZEN], "numbers": {"table": 4}}
DONE |= {"parameters": {"image": {"low": 1.5}}, "trust": {"image": {"bias": 0.1}}, "suspect": {"image": ["bias"]}}
DONE |= {"shapes": [[4, 6], [2]], "started": 5, "stages": [[5, 6], [6, 7]], "finished": 8}
OFFSETS = (0, 128)
CAME = [(0, 96), (128, 152)]

numbers = st.integers(-2, 8) | st.sampled_from([127, 1 << 20, 1 << 40, 1 << 62, 10**30])
words = st.sampled_from(
    ["image", "table", "float32", "float64", "object", "V8", "M8[ns]", "yx", "i", "", "\ud800", "x" * 3000]
)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.floats() | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
changes = st.lists(st.tuples(st.integers(0, 1000), values), min_size=1, max_size=3)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container within, with each of its keys."""
    found = []
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += places(inner)
    return found


def changed(message: Any, edits: list[tuple[int, Any]]) -> Any:
    made = json.loads(json.dumps(message))
    for at, value in edits:
        container, key = places(made)[at % len(places(made))]
        container[key] = value
    return made


def opened() -> Opened:
    return checked_opened(ASKED, OPENED, TOOK_NS)[1]


def came() -> Spans:
    return Spans(list(CAME))


def done(told: Any, way: int = 0) -> Any:
    return checked_done(told, Asked(None, way), opened(), OFFSETS, came(), {"image", "table"}, {None, 2})


def test_what_is_so_is_handed_on_as_it_is() -> None:
    made, expected = checked_opened(ASKED, OPENED, TOOK_NS)
    assert made == OPENED
    assert expected.ways == ((Expected((4, 6), 4, False), Expected((5,), 12, True)), (Expected((4, 6), 4, False), None))
    assert expected.nbytes == 96 + 60
    assert done(DONE) == DONE


@pytest.mark.parametrize("shape", [[], [2, 1], [6], [2, 2, 2]])
def test_rows_of_a_table_are_counted_along_one_axis(shape: list[int]) -> None:
    with pytest.raises(WireError, match="found an answer of the shape"):
        done({**DONE, "shapes": [[4, 6], shape]})


@pytest.mark.parametrize(
    ("asked", "name", "passes"),
    [
        ("cpu", "cpu", True),
        ("auto", "cuda", True),
        ("tensorrt:1,cpu", "tensorrt:1", True),
        ("cpu", "cuda", False),
        ("auto", "a b", False),
        ("auto", "", False),
        ("auto", "x" * 300, False),
        ("auto", None, False),
    ],
)
def test_a_lane_runs_on_what_was_asked_for(asked: str, name: Any, passes: bool) -> None:
    if passes:
        assert provider_of({"provider": name}, asked) == name
    else:
        with pytest.raises(WireError):
            provider_of({"provider": name}, asked)


@given(st.dictionaries(st.sampled_from(["at_ns", "clock_mhz", "power_w", "temperature_c", "reasons", "more"]), values))
def test_whatever_a_box_says_of_its_gpu(told: Any) -> None:
    try:
        made = clocks(told, OtherClock(), 5000)
    except WireError:
        return
    json.dumps(made).encode()
    reading = Reading.read({name: value for name, value in made.items() if name != "kind"})
    assert 0 <= reading.at_ns <= 5000
    assert reading.throttled == bool(told.get("reasons"))


@given(changes)
@settings(max_examples=500, deadline=None)
def test_whatever_a_box_says_that_it_opened(edits: Any) -> None:
    try:
        made, expected = checked_opened(ASKED, {**changed(OPENED, edits), "lane": 0}, TOOK_NS)
    except (WireError, AttributeError, KeyError, TypeError, ValueError):  # of which the desk makes a WireError
        return
    json.dumps(made).encode()
    assert [answer["stage"] for answer in made["answers"]] == ["image", "table"]
    assert [[each is None for each in way] for way in expected.ways] == [[False, False], [False, True]]
    assert 0 <= max(made["warm_ns"], *made["ways_warm_ns"]) <= TOOK_NS
    assert len(made["ways_warm_ns"]) == 2
    assert expected.nbytes <= 2 * LARGEST_ANSWER
    for each in made["answers"]:
        assert each["columns"] or ("y" in each["axes"] and len(each["axes"]) == len(each["shape"]))


@given(changes, st.sampled_from([0, 1]))
@settings(max_examples=500, deadline=None)
def test_whatever_a_box_says_that_it_did(edits: Any, way: int) -> None:
    try:
        made = done({**changed(DONE, edits), "window": 1}, way)
    except (WireError, AttributeError, KeyError, TypeError, ValueError):
        return
    json.dumps(made).encode()
    assert way == 0
    assert made["shapes"][0] == [4, 6]
    assert math.prod(made["shapes"][1]) * 12 == 24
    assert len(made["stages"]) == 2
    assert made["started"] <= made["finished"]
    assert made["numbers"].keys() | made["trust"].keys() | made["suspect"].keys() <= {"image", "table"}
    assert all(
        each["channel"] in (None, 2) and len(each["values"]) == len(each["statistics"]) for each in made["frozen"]
    )


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=20))
def test_no_byte_of_an_answer_comes_twice(pieces: list[tuple[int, int]]) -> None:
    spans = Spans()
    seen: set[int] = set()
    for at, size in pieces:
        try:
            spans.add(at, size)
        except WireError:
            return
        assert seen.isdisjoint(range(at, at + size))
        seen |= set(range(at, at + size))
        assert sum(end - begin for begin, end in spans.found) == len(seen)


def test_sentences_are_cut_and_can_be_written() -> None:
    assert sentence({"text": "\ud800" + "x" * 10_000}, "text") == "?" + "x" * (MOST_WORDS - 1)
    with pytest.raises(WireError, match="found text 7, expected a text"):
        sentence({"text": 7}, "text")
