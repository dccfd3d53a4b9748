"""What rules see and ask for survives the way between two processes, and what makes no sense is refused."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Frame, FrameId, RuleError
from onscope.runtime.feedback import (
    KINDS,
    WISHES,
    Action,
    Asked,
    Autofocus,
    Burst,
    GoTo,
    Illuminate,
    Mark,
    MoveFocus,
    MoveStage,
    Notify,
    Pause,
    Project,
    Proposal,
    Pulse,
    Recentre,
    Refocus,
    Resume,
    ScaleExposure,
    ScalePower,
    Seen,
    SetExposure,
    SetInterval,
    SetPower,
    SetPreset,
    Stack,
    Stop,
    Target,
    Tiles,
    Visit,
)
from onscope.runtime.feedback.loop._wire import asked_from, proposal_from, proposal_message, seen_from, seen_message
from onscope.runtime.feedback.rules import RuleBook

MASK = np.eye(5, 7, dtype=np.uint8) * 255
ALL: list[Asked] = [
    MoveStage(1.5, -2.0),
    MoveFocus(3.25),
    Autofocus(10.0, 0.5, "DAPI", 20.0),
    Autofocus(10.0, 0.5),
    SetPreset("Channel", "GFP"),
    SetExposure(12.5),
    SetPower("cyan", 2.0),
    SetInterval(0.0),
    Burst(20, 5.0, "GFP", None),
    Stack(5, 0.5, None, 10.0),
    Visit(((1.0, 2.0), (3.0, 4.0)), None, None, True),
    Project(MASK, 0.16, 5.0, 6.0, "blue", 1.0, 100.0, "SLM"),
    Pulse("ttl", 5.0),
    Mark("a word"),
    Notify("me", "a word"),
    Pause(None),
    Pause(3.0),
    Resume(),
    Stop("enough"),
    Recentre(0.5, 2.0),
    GoTo(1.0, -1.0),
    Refocus(0.25),
    ScaleExposure(100.0, 200.0),
    ScalePower("cyan", 100.0, 200.0, 0.5, 3.0),
    Illuminate("nuclei", "blue", 1.0, 50.0, -0.5, "SLM"),
    Tiles(2, 3, 0.2, "GFP", 10.0),
]
SEEN = Seen(
    number=7,
    frame=Frame(
        FrameId("run", "cam", 1, 5),
        np.zeros((0, 0), np.uint8),
        index=MappingProxyType({"t": 5}),
        received_ns=1_000,
        pixel_size_um=0.16,
        exposure_ms=10.0,
        stage_um=(1.0, 2.0, 3.0),
        labels=MappingProxyType({"c": "GFP"}),
    ),
    shape=(48, 64),
    tables={
        "found": np.array([(1, 2.5, math.nan), (2, 3.5, math.inf)], [("label", "i4"), ("y", "f4"), ("score", "f8")]),
        "none": np.zeros(0, [("label", "i4"), ("feature", "f4", (3,))]),
    },
    numbers={"mean": 1.5, "odd": math.nan},
    trust={"found": {"noise": 0.5}},
    suspect={"found": ("noise",)},
    now_ns=2_000,
    models={"found": "abc"},
)


def proposed(asked: Asked, **more: Any) -> Proposal:
    """A proposal of `SEEN`."""
    whole: dict[str, Any] = {
        "values": {"score": 1.0},
        "models": SEEN.models,
        "target": Target(1, 2, 3.5, 4.5, {"labels": (1, 2)}),
    }
    return Proposal("rule", asked, "because", SEEN.frame.id, 1_000, 2_500, 3, **whole | more)


def there_and_back(proposal: Proposal) -> Proposal:
    return proposal_from(json.loads(json.dumps(proposal_message(proposal))), SEEN, 3_000)


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: asked.kind)
def test_whatever_is_asked_for_arrives_as_it_was(asked: Asked) -> None:
    back = there_and_back(proposed(asked))
    assert type(back.asked) is type(asked)
    for each in fields(asked):
        if each.name == "mask":
            np.testing.assert_array_equal(back.asked.mask, MASK, strict=True)  # type: ignore[union-attr]
        else:
            assert getattr(back.asked, each.name) == getattr(asked, each.name)
    assert replace(back, asked=Resume()) == replace(proposed(asked), asked=Resume())


def test_every_kind_is_among_them() -> None:
    assert {each.kind for each in ALL} == {*KINDS, *WISHES}


def test_what_rules_see_arrives_as_it_was() -> None:
    back = seen_from(json.loads(json.dumps(seen_message(SEEN))))
    assert (back.number, back.shape, back.now_ns) == (SEEN.number, SEEN.shape, SEEN.now_ns)
    for each in fields(SEEN.frame):
        if each.name != "pixels":
            assert getattr(back.frame, each.name) == getattr(SEEN.frame, each.name), each.name
    for name, table in SEEN.tables.items():
        assert back.tables[name].dtype == table.dtype
        assert back.tables[name].tobytes() == table.tobytes()
    assert back.numbers["mean"] == 1.5
    assert math.isnan(back.numbers["odd"])
    assert (back.trust, back.suspect, back.models) == (SEEN.trust, SEEN.suspect, SEEN.models)


def test_rules_cannot_make_an_old_frame_new_nor_name_other_models() -> None:
    lie = proposed(Resume(), models={"found": "other"})
    lie = replace(lie, frame=FrameId("other", "cam", 9, 9), received_ns=2_999, proposed_ns=10**18)
    back = there_and_back(lie)
    assert (back.frame, back.received_ns, back.proposed_ns) == (SEEN.frame.id, 1_000, 3_000)
    assert back.models == SEEN.models


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "open_door"},
        {"kind": ["move_stage"]},
        {},
        {"kind": "move_stage", "x_um": 1.0},
        {"kind": "move_stage", "x_um": "far", "y_um": 1.0},
        {"kind": "move_stage", "x_um": 1.0, "y_um": 1.0, "z_um": 1.0},
        {"kind": "burst", "frames": 2.5},
        {"kind": "burst", "frames": True},
        {"kind": "mark", "words": 3},
        {"kind": "visit", "places": [[1.0, 2.0, 3.0]]},
        {"kind": "visit", "places": 7},
        {"kind": "project", "mask": {"dtype": "O", "shape": [1], "data": ""}},
        {"kind": "project", "mask": {"dtype": "|u1", "shape": [1000, 1000], "data": "AAAA"}},
        {"kind": "project", "mask": "all"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(RuleError):
        asked_from(asked)


@pytest.mark.parametrize(
    "change",
    [{"rule": None, "asked": None}, {"priority": "high"}, {"values": {"a": "b"}}, {"values": 3}, {"target": {"y": 1}}],
    ids=str,
)
def test_proposals_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RuleError):
        proposal_from(proposal_message(proposed(MoveStage(1.0, 2.0))) | change, SEEN, 3_000)


def test_nan_arrives_for_the_gate_to_refuse() -> None:
    back = there_and_back(proposed(MoveStage(math.nan, math.inf)))
    assert isinstance(back.asked, Action)
    assert isinstance(back.asked, MoveStage)
    assert math.isnan(back.asked.x_um)
    assert back.asked.y_um == math.inf


def test_the_rules_of_the_readme_are_rules() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    blocks = [each.split("```")[0] for each in readme.split("```yaml\n")[1:]]
    book = RuleBook.from_text(next(each for each in blocks if each.startswith("# follow.yaml")))
    assert [rule.name for rule in book.rules] == ["follow"]
    assert book.limits.field_j_cm2 == 10
