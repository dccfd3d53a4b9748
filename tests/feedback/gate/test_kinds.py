"""Every kind of action has its check and its light, and every value of it is looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest

from onscope.runtime.feedback import (
    KINDS,
    Action,
    Autofocus,
    Burst,
    Limits,
    Mark,
    MoveFocus,
    MoveStage,
    Notify,
    Pause,
    Project,
    Pulse,
    Recentre,
    SetExposure,
    SetInterval,
    SetPower,
    SetPreset,
    Setting,
    Stack,
    Visit,
)
from onscope.runtime.feedback.dose import ENERGY
from onscope.runtime.feedback.gate import CHECKS

from .hostile import Sly, SlyText
from .made import BLUE, DISK, LIMITS, PASSING, SETTING, S, gate, proposal


def judged(action: Any, limits: Limits = LIMITS, setting: Setting = SETTING) -> Any:
    verdict = gate(limits).judge(proposal(action), action, setting, 0)
    if not verdict.passed:
        assert "found " in verdict.reason
        assert ", allowed " in verdict.reason
        assert ": " in verdict.reason
    return verdict


def test_every_kind_has_a_check_and_a_light() -> None:
    assert set(CHECKS) == set(KINDS.values())
    assert set(ENERGY) == set(KINDS.values())
    assert {type(each) for each in PASSING} == set(KINDS.values())


@pytest.mark.parametrize("action", PASSING, ids=lambda each: each.kind)
def test_one_of_every_kind_passes_as_a_copy(action: Action) -> None:
    verdict = judged(action)
    assert verdict.passed, verdict.reason
    assert verdict.action is not action
    assert type(verdict.action) is type(action)
    assert verdict.action.described() == action.described()


ODD: list[Any] = [
    *(math.nan, math.inf, -math.inf, 1e300, -1e300, 10**400, -(10**400), 2**63, np.float32("nan"), np.int64(2**62)),
    *(True, None, "1", b"1", 1j, [1.0], (1.0,), {}, np.zeros(1), np.bool_(True), np.datetime64(3, "s"), object()),
]


@pytest.mark.parametrize("action", PASSING, ids=lambda each: each.kind)
def test_no_odd_value_passes_in_any_field(action: Action) -> None:
    for each in fields(action):
        present = getattr(action, each.name)
        for odd in (*ODD, Sly(1e9), SlyText("blue"), type("Meta", (int,), {})(3)):
            changed = replace(action, **{each.name: odd})
            verdict = judged(changed)
            if not verdict.passed:
                continue
            # What may be left out may be None, what is a text any text, and what is a number of the range a number.
            value = getattr(verdict.action, each.name)
            assert value is None or type(value) is type(present) or each.name in ("channel", "exposure_ms")
            assert type(odd) in (str, type(None), bool, int, float, np.int64, np.float32), (each.name, odd)
            assert type(odd) is not bool or each.name == "stay"


def test_subclasses_of_actions_do_not_pass() -> None:
    @dataclass(frozen=True)
    class Far(MoveStage):
        def __post_init__(self) -> None:
            object.__setattr__(self, "y_um", 0.0)

    class Liar(type(MoveStage)):  # type: ignore[misc]
        def __eq__(cls, other: object) -> bool:
            return True

        def __hash__(cls) -> int:
            return hash(MoveStage)

    lied = Liar("Lied", (), {"x_um": 0.0, "y_um": 0.0})()
    for odd in (Far(0.0, 0.0), lied, Recentre(), None, "move_stage", MoveStage, {"kind": "move_stage"}):
        assert not judged(odd).passed


def test_what_was_judged_cannot_be_changed_afterwards() -> None:
    mask = DISK.copy()
    action = Project(mask, 1.0, 100.0, 0.0, "blue", 5.0, 100.0)
    move = MoveStage(200.0, 0.0)
    passed, moved = judged(action).action, judged(move).action
    mask[:] = 255
    object.__setattr__(move, "x_um", 1e9)
    assert np.array_equal(passed.mask, DISK)
    assert not passed.mask.flags.writeable
    assert moved.x_um == 200.0


REFUSED: list[tuple[Action, str]] = [
    (MoveStage(1000.1, 0.0), "x"),
    (MoveStage(100.0, -500.1), "y"),
    (MoveStage(501.0, 0.0), "401 um"),
    (MoveFocus(-0.1), "focus"),
    (MoveFocus(81.0), "31 um"),
    (Autofocus(61.0, 5.0), "30.5 um"),
    (Autofocus(20.0, 1e-300), "steps"),
    (Autofocus(20.0, 0.0), "step"),
    (Autofocus(-20.0, 2.0), "range"),
    (Stack(51, 0.1), "planes"),
    (Stack(0, 0.1), "planes"),
    (Stack(5, -1.0), "step"),
    (SetPreset("channel", "both"), "preset"),
    (SetPreset("laser", "on"), "preset"),
    (SetExposure(0.5), "exposure"),
    (SetExposure(201.0), "exposure"),
    (SetPower("blue", 10.1), "power"),
    (SetPower("blue", -0.1), "power"),
    (SetPower("violet", 0.1), "light"),
    (SetInterval(-1.0), "interval"),
    (Burst(-1), "frames"),
    (Burst(51), "frames"),
    (Burst(10, -1.0), "interval"),
    (Burst(10, 20_000.0), "200"),
    (Burst(10, 0.0, "both"), "channel"),
    (Burst(10, 0.0, None, 300.0), "exposure"),
    (Visit(()), "places"),
    (Visit(((100.0, 0.0),) * 51), "places"),
    (Visit(((100.0, 0.0), (100.0, 501.0))), "y"),
    (Visit(((450.0, 0.0), (-250.0, 0.0))), "700 um"),
    (Visit(((100.0, 0.0, 0.0),)), "place"),  # type: ignore[arg-type]
    (Project(DISK, 0.0, 100.0, 0.0, "blue", 5.0, 100.0), "pixel"),
    (Project(DISK, 1e6, 100.0, 0.0, "blue", 5.0, 100.0), "wide"),
    (Project(DISK, 1.0, 100.0, 0.0, "blue", 10.5, 100.0), "power"),
    (Project(DISK, 1.0, 100.0, 0.0, "violet", 1.0, 100.0), "light"),
    (Project(DISK, 1.0, 100.0, 0.0, "blue", 1.0, 1000.5), "projection"),
    (Project(DISK, 1.0, 100.0, 0.0, "blue", 1.0, 0.0), "projection"),
    (Project(DISK, 1.0, 300.0, 0.0, "blue", 1.0, 10.0), "reaches"),
    (Project(DISK, 6.0, 100.0, 0.0, "blue", 1.0, 10.0), "lit"),
    (Project(DISK.astype(bool), 1.0, 100.0, 0.0, "blue", 1.0, 10.0), "mask"),
    (Project(DISK[0], 1.0, 100.0, 0.0, "blue", 1.0, 10.0), "mask"),
    (Project(DISK[:0], 1.0, 100.0, 0.0, "blue", 1.0, 10.0), "mask"),
    (Pulse("shutter", 50.1), "pulse"),
    (Pulse("shutter", 0.0), "pulse"),
    (Pulse("laser", 1.0), "line"),
    (Notify("someone", "look"), "target"),
    (Notify("me", "zero \0"), "characters"),
    (Notify("me", "half \ud800"), "characters"),
    (Mark("long" * 2000), "characters"),
    (Pause(-1.0), "pause"),
    (Pause(1e12), "pause"),
]


@pytest.mark.parametrize(("action", "word"), REFUSED, ids=lambda each: getattr(each, "kind", None))
def test_what_is_beyond_the_limits_is_refused_with_a_sentence(action: Action, word: str) -> None:
    verdict = judged(action)
    assert not verdict.passed
    assert word in verdict.reason


@pytest.mark.parametrize("action", PASSING, ids=lambda each: each.kind)
def test_nothing_passes_on_a_microscope_that_has_nothing(action: Action) -> None:
    assert judged(action, Limits(), Setting()).passed == (action.kind in ("mark", "pause", "resume", "stop"))


def test_planes_end_within_the_limits() -> None:
    high = replace(SETTING, z_um=90.0)
    assert judged(Stack(21, 1.0), setting=high).passed
    assert "end of the planes" in judged(Stack(22, 1.0), setting=high).reason
    assert judged(Autofocus(20.0, 1.0), setting=high).passed
    assert "end of the planes" in judged(Autofocus(20.1, 1.0), setting=high).reason


def test_an_interval_is_no_way_around_the_frames_per_second() -> None:
    assert judged(SetInterval(0.0)).passed
    assert "frames per second" in judged(SetInterval(0.0), setting=replace(SETTING, exposure_ms=9.0)).reason
    assert "frames per second" in judged(SetInterval(0.0), setting=replace(SETTING, exposure_ms=None)).reason


def test_where_the_stage_is_has_to_be_known_for_a_step() -> None:
    for nowhere in (None, math.nan):
        lost = replace(SETTING, x_um=nowhere, z_um=nowhere)
        for action in (MoveStage(200.0, 0.0), MoveFocus(60.0), Stack(3, 1.0), Autofocus(4.0, 1.0)):
            assert not judged(action, setting=lost).passed
    free = replace(LIMITS, step_um=math.inf, z_step_um=math.inf)
    assert judged(MoveStage(200.0, 0.0), free, replace(SETTING, x_um=None)).passed
    assert judged(MoveFocus(60.0), free, replace(SETTING, z_um=None)).passed


def test_masks_lie_somewhere_even_without_a_stage() -> None:
    nowhere = replace(SETTING, x_um=None, y_um=None)
    assert judged(Project(DISK, 1.0, 0.0, 0.0, "blue", 1.0, 10.0), setting=nowhere).passed
    for odd in (math.nan, math.inf, -math.inf):
        assert "finite" in judged(Project(DISK, 1.0, odd, 0.0, "blue", 1.0, 10.0), setting=nowhere).reason


def test_lights_that_shine_keep_their_limits_whoever_set_them() -> None:
    blue = replace(BLUE, power_mw=11.0)
    strong = replace(SETTING, channels={"GFP": {"blue": blue}}, lights={"blue": blue})
    for action in (Burst(1), Stack(1, 1.0), Visit(((100.0, 0.0),)), Autofocus(4.0, 1.0), SetPreset("channel", "GFP")):
        assert "the power of blue" in judged(action, setting=strong).reason
    assert "the power of blue" in judged(Pulse("shutter", 1.0), setting=strong).reason


def test_old_frames_and_frames_to_come_are_refused() -> None:
    made = gate()
    action = MoveStage(200.0, 0.0)
    for received, now, passes in ((0, 300_000_000, True), (0, 300_000_001, False), (1, 0, False), (5 * S, 5 * S, True)):
        assert made.judge(proposal(action, received), action, SETTING, now).passed == passes
    for odd in (replace(proposal(action), received_ns=True), replace(proposal(action), received_ns=0.0), None):  # type: ignore[arg-type]
        assert not made.judge(odd, action, SETTING, 0).passed  # type: ignore[arg-type]


def test_a_verdict_is_fresh_for_a_while_and_nobody_else_can_make_one() -> None:
    made = gate()
    action = MoveStage(200.0, 0.0)
    verdict = made.judge(proposal(action), action, SETTING, 1000)
    assert made.still_fresh(verdict, 1000 + 100_000_000)
    assert not made.still_fresh(verdict, 1001 + 100_000_000)
    assert not made.still_fresh(verdict, 999)
    assert not made.still_fresh(replace(verdict), 1000)
    assert not gate().still_fresh(verdict, 1000)
    refused = made.judge(proposal(action), MoveStage(1e9, 0.0), SETTING, 1000)
    assert not made.still_fresh(refused, 1000)
