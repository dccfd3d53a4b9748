"""What is written is what is read: all kinds of actions and wishes, and whatever numbers rules may come to."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onscope.runtime import FrameId, RecordError
from onscope.runtime.feedback import KINDS, WISHES, Action, Command, Done, Limits, Project, Proposal, Target, Verdict
from onscope.runtime.feedback.journal import Entry, Journal, Story, mask_of, plain, read_journal

from . import examples
from .examples import ACTIONS, MASK, done, passed, proposal, refused

texts = st.text(max_size=30)
numbers = st.floats() | st.integers() | st.floats(width=32).map(np.float32) | st.integers(-100, 100).map(np.int64)
ANYTHING = st.recursive(
    st.none() | st.booleans() | texts | numbers,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
KIND = {
    "float": st.floats(),
    "int": st.integers(-(2**62), 2**62),
    "str": texts,
    "bool": st.booleans(),
    "float | None": st.none() | st.floats(),
    "str | None": st.none() | texts,
    "tuple[tuple[float, float], ...]": st.lists(st.tuples(st.floats(), st.floats()), max_size=5).map(tuple),
    "npt.NDArray[np.uint8]": st.binary(min_size=6, max_size=6).map(
        lambda held: np.frombuffer(held, np.uint8).reshape(2, 3)
    ),
}


def built(kind: type) -> st.SearchStrategy[Any]:
    fields = {one.name: KIND[str(one.type)] for one in dataclasses.fields(kind)}
    return st.builds(kind, **fields)


ACTION = st.one_of([built(kind) for kind in KINDS.values()])
ASKED = st.one_of([built(kind) for kind in (*KINDS.values(), *WISHES.values())])
VALUES = st.dictionaries(texts, st.floats(), max_size=4)
COMMAND = st.builds(Command, st.integers(0, 2**62), texts, texts, ANYTHING)


def same(found: Any, given: Any) -> bool:
    """Whether they are equal as journals hold them, NaN included, and of one type."""
    if isinstance(given, float):
        return isinstance(found, float) and (found == given or (math.isnan(found) and math.isnan(given)))
    if isinstance(given, dict):
        return isinstance(found, dict) and found.keys() == given.keys() and all(same(found[k], given[k]) for k in given)
    if isinstance(given, (list, tuple)):
        return len(found) == len(given) and all(map(same, found, given))
    return bool(type(found) is type(given) and found == given)


def read_back(path: Path) -> Story:
    for line in path.read_bytes().splitlines():
        json.loads(line, parse_constant=pytest.fail)  # strict JSON: no bare NaN
    return read_journal(path)


def only(path: Path) -> Entry:
    (entry,) = read_back(path)
    return entry


@pytest.mark.parametrize("action", ACTIONS, ids=lambda each: each.kind)
def test_every_action_comes_back(tmp_path: Path, action: Action) -> None:
    with Journal(tmp_path / "j.jsonl", armed=True) as journal:
        number = journal.proposal(proposal(action))
        journal.verdict(number, passed(action))
        journal.done(number, done())
    entry = only(tmp_path / "j.jsonl")
    assert entry.outcome == "done"
    assert entry.kind == action.kind
    assert entry.verdict is not None
    assert entry.action is not None
    told = {name: value for name, value in entry.action.items() if name != "mask"}
    assert told == {name: value for name, value in action.described().items() if name != "mask"}
    assert entry.done == Done(
        done().began_ns, done().done_ns, tuple(Command(c.at_ns, c.verb, c.device, c.value) for c in done().commands)
    )
    if isinstance(action, Project):
        np.testing.assert_array_equal(mask_of(entry.action), MASK)


@pytest.mark.parametrize("wish", examples.WISHES, ids=lambda each: each.kind)
def test_every_wish_comes_back_with_who_why_and_when(tmp_path: Path, wish: Any) -> None:
    asked = proposal(wish, priority=3)
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.verdict(journal.proposal(asked), refused("the stage would leave its limits"))
    entry = only(tmp_path / "j.jsonl")
    assert (entry.outcome, entry.kind, entry.rule, entry.priority) == ("refused", wish.kind, "mitosis", 3)
    assert (entry.because, entry.frame) == (asked.because, FrameId("r1", "Camera", 0, 7))
    assert (entry.received_ns, entry.at_ns) == (asked.received_ns, asked.proposed_ns)
    assert entry.values["score"] == 0.91
    assert math.isnan(entry.values["odd"])
    assert entry.models == {"phase": "ab" * 32}
    assert entry.target == {"label": 4, "track": 12, "y": 120.5, "x": 33.25, "values": {"area": 301.0}}


@pytest.mark.long
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            ASKED, ACTION, st.dictionaries(texts, st.floats(), max_size=4), ANYTHING, st.lists(COMMAND, max_size=3)
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_rules_and_devices_say_can_be_read(tmp_path_factory: pytest.TempPathFactory, events: Any) -> None:
    path = tmp_path_factory.mktemp("any") / "j.jsonl"
    with Journal(path, armed=True) as journal:
        for asked, action, values, odd, commands in events:
            target = Target(1, 2, math.nan, math.inf, {"odd": odd})
            frame = FrameId("r", "c", 0, 1)
            number = journal.proposal(Proposal("rule", asked, "because", frame, 1, 2, 0, target, values))
            journal.verdict(number, Verdict(True, "fine", action, 3))
            journal.done(number, Done(4, 5, tuple(commands)))
    story = read_back(path)
    assert len(story) == len(events)
    assert story.lost == 0
    for entry, (asked, action, values, odd, commands) in zip(story, events, strict=True):
        assert entry.action is not None
        assert same(entry.action, plain_back(action))
        assert entry.kind == asked.kind
        assert same(dict(entry.values), plain_back(values))
        assert entry.target is not None
        assert same(entry.target["values"]["odd"], plain_back(odd))
        assert [one.verb for one in entry.commands] == [one.verb for one in commands]
        assert same([one.value for one in entry.commands], [plain_back(one.value) for one in commands])
        if isinstance(action, Project):
            np.testing.assert_array_equal(mask_of(entry.action), action.mask)


def plain_back(value: Any) -> Any:
    """What a journal makes of a value: by the way of JSON that others go, too."""
    from onscope.runtime.feedback.journal._plain import numbers_back

    return json.loads(json.dumps(plain(value), allow_nan=False), object_hook=numbers_back)


def test_plain_says_what_the_value_is() -> None:
    """Against what is written down here, not against the reader."""
    assert plain(math.nan) == {"number": "nan"}
    assert plain(-math.inf) == {"number": "-inf"}
    assert plain(np.float32(0.5)) == 0.5
    assert plain(np.bool_(True)) is True
    assert plain({1: (2, frozenset({"b", "a"}))}) == {"1": [2, ["a", "b"]]}
    assert plain(10**400) == repr(10**400)[:200]
    assert plain(b"x") == "b'x'"
    assert plain(np.zeros((3, 4), np.float32)) == {"shape": [3, 4], "dtype": "float32", "lit": 0}
    nest: Any = 1
    for _ in range(100):
        nest = [nest]
    assert "…" in json.dumps(plain(nest), ensure_ascii=False)


def test_the_first_line_says_what_this_is(tmp_path: Path) -> None:
    limits = Limits(x_um=(-1.0, 1.0), presets={"Channel": frozenset({"FITC", "DAPI"})})
    with Journal(
        tmp_path / "j.jsonl",
        rules_name="mitosis.yaml",
        rules="schema: 1\nrules: {}\n",
        limits=limits,
        packages={"phase": "zoo/mitosis-cells"},
        notes={"sample": "HeLa"},
    ) as journal:
        clock = journal.clock
    story = read_back(tmp_path / "j.jsonl")
    head = story.head
    assert (head.rules_name, head.rules) == ("mitosis.yaml", "schema: 1\nrules: {}\n")
    assert head.rules_sha256 == "87641eb8c3c24f3d2b5d5b25af670efc8cb5de2fc422bdea15f1a2b430b83356"
    assert (head.armed, head.clock, head.packages) == (False, clock, {"phase": "zoo/mitosis-cells"})
    assert head.limits["x_um"] == [-1.0, 1.0]
    assert head.limits["field_j_cm2"] == math.inf
    assert head.limits["presets"] == {"Channel": ["DAPI", "FITC"]}
    assert head.notes == {"sample": "HeLa"}
    assert head.machine["cores"] >= 1
    assert len(story) == 0
    assert story.ended_ns is not None
    assert story.ended_ns >= clock.monotonic_ns


def test_events_and_curves_come_back(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.values({"dose_j_cm2": 0.1, "interval_s": 10.0}, at_ns=1)
        number = journal.event("safe state", "no result for 2 s", commands=[Command(5, "setShutterOpen", "", False)])
        journal.values({"dose_j_cm2": math.nan}, at_ns=2)
        failed = journal.proposal(proposal(ACTIONS[0]))
        journal.verdict(failed, passed(ACTIONS[0]), armed=True)
        journal.failed(failed, "the stage does not answer", done().commands)
    story = read_back(tmp_path / "j.jsonl")
    assert [entry.number for entry in story] == [number, failed] == [1, 2]
    assert (story[0].outcome, story[0].kind, story[0].because) == ("event", "safe state", "no result for 2 s")
    assert [one.verb for one in story[0].commands] == ["setShutterOpen"]
    assert (story[1].outcome, story[1].failure) == ("failed", "the stage does not answer")
    assert len(story[1].commands) == 2
    assert story.curves["interval_s"].values == (10.0,)
    assert story.curves["dose_j_cm2"].at_ns == (1, 2)


def test_what_became_of_an_event(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.jsonl") as journal:
        for armed in (None, True):
            number = journal.proposal(proposal(ACTIONS[0]))
            journal.verdict(number, passed(ACTIONS[0]), armed=armed)
        journal.proposal(proposal(ACTIONS[0]))
    assert [entry.outcome for entry in read_back(tmp_path / "j.jsonl")] == ["shadow", "passed", "proposed"]


def test_a_mask_that_is_none_is_refused() -> None:
    for held in (
        {},
        {"mask": 3},
        {"mask": {"shape": [2, 2], "zlib": "!"}},
        {"mask": {"shape": [2**20, 2**20], "zlib": ""}},
    ):
        with pytest.raises(RecordError, match="found no mask"):
            mask_of(held)
    small = plain(MASK)
    with pytest.raises(RecordError, match="found no mask"):
        mask_of({"mask": {**small, "shape": [4, 4]}})
