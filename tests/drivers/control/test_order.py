"""The order in which devices hear an action: on the mounted microscope, while its frames are taken live."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from onscope.drivers import specimen
from onscope.drivers.micromanager.control import CoreController
from onscope.runtime import now_ns
from onscope.runtime.feedback import (
    Action,
    Autofocus,
    Burst,
    Controller,
    MoveFocus,
    MoveStage,
    Pause,
    Project,
    Pulse,
    Resume,
    SetExposure,
    SetInterval,
    SetPower,
    SetPreset,
    Stack,
    Stop,
    Visit,
)

from .rigs import Taker, brief, controlled, heard, now, taken

LIT = np.full((64, 64), 255, np.uint8)
PIXEL_UM = 6.5 / 60


@pytest.fixture
def rig() -> Iterator[tuple[specimen.SpecimenScope, CoreController, Taker]]:
    with controlled(real=True) as (scope, controller), taken(controller.live(exposure_ms=5.0)) as taker:
        yield scope, controller, taker


def told(rig: tuple[specimen.SpecimenScope, CoreController, Taker], action: Action, more: int = 2) -> list[str]:
    """What devices heard of an action, and until `more` frames have come after it."""
    scope, controller, taker = rig
    begin = now(scope)
    controller.apply(action)
    if more:
        after_ns = now_ns()
        new = 0
        while new < more:  # those that were taken before, or are of the action, come first
            taker.more(1)
            new = sum(one.received_ns > after_ns and "action" not in one.labels for one in list(taker.frames))
    return brief(heard(scope, begin))


LIVE_AGAIN = ["Shutter open", "Camera expose"]


def test_a_controller_is_one(rig: tuple[specimen.SpecimenScope, CoreController, Taker]) -> None:
    assert isinstance(rig[1], Controller)


def test_a_short_move_leaves_the_camera_running(rig: tuple[specimen.SpecimenScope, CoreController, Taker]) -> None:
    words = told(rig, MoveStage(60.0, 45.0))
    assert [word for word in words if word != "Camera expose"] == ["XY move (60.0, 45.0)"]
    assert rig[0].bench.xyz_um()[:2] == (60.0, 45.0)
    words = told(rig, MoveFocus(1.5))
    assert [word for word in words if word != "Camera expose"] == ["Focus move 1.5"]
    assert {frame.id.segment for frame in rig[2].frames} == {0}


def test_a_long_move_is_made_in_the_dark(rig: tuple[specimen.SpecimenScope, CoreController, Taker]) -> None:
    words = told(rig, MoveStage(90.0, 10.0))
    words = words[words.index("Shutter close") :]
    assert words == ["Shutter close", "Shutter close", "XY move (90.0, 10.0)", *LIVE_AGAIN]
    assert {frame.id.segment for frame in rig[2].frames} == {0, 1}


def test_a_preset_is_set_behind_the_closed_shutter(rig: tuple[specimen.SpecimenScope, CoreController, Taker]) -> None:
    words = told(rig, SetPreset("Channel", "TRITC"))
    words = words[words.index("Shutter close") :]
    assert words == [
        *["Shutter close", "Shutter close"],
        *["LED 385 off", "LED 475 off", "LED 630 off", "Lamp off", "LED 555 power_mw 6.0", "LED 555 on"],
        *["Emission turn ET605/52", *LIVE_AGAIN],
    ]
    assert rig[1].setting().channel == "TRITC"


def test_a_power_that_was_set_holds_in_its_channel_and_in_no_other(
    rig: tuple[specimen.SpecimenScope, CoreController, Taker],
) -> None:
    assert [one for one in told(rig, SetPower("LED 475", 2.5)) if one != "Camera expose"] == ["LED 475 power_mw 2.5"]
    assert rig[1].setting().channels["FITC"]["LED 475"].power_mw == 2.5
    begin = now(rig[0])
    rig[1].apply(SetPower("LED 555", 1.5))  # of another channel, which is not on
    assert [one for one in brief(heard(rig[0], begin)) if one != "Camera expose"] == []
    words = told(rig, SetPreset("Channel", "TRITC"))
    assert words[-3:] == ["LED 555 power_mw 1.5", *LIVE_AGAIN]
    words = told(rig, SetPreset("Channel", "FITC"))
    assert words[-3:] == ["LED 475 power_mw 2.5", *LIVE_AGAIN]


def test_an_exposure_is_set_with_the_camera_at_rest(rig: tuple[specimen.SpecimenScope, CoreController, Taker]) -> None:
    words = told(rig, SetExposure(8.0))
    assert words[words.index("Shutter close") :] == ["Shutter close", *LIVE_AGAIN]
    rig[2].more(2)
    assert rig[2].frames[-1].exposure_ms == rig[1].setting().exposure_ms == 8.0
    assert {frame.exposure_ms for frame in rig[2].frames if frame.id.segment == 0} == {5.0}


def test_a_burst_in_another_channel_comes_back(rig: tuple[specimen.SpecimenScope, CoreController, Taker]) -> None:
    words = told(rig, Burst(4, 10.0, "TRITC", 3.0))
    words = words[words.index("Shutter close") :]
    assert words == [
        "Shutter close",
        *["LED 385 off", "LED 475 off", "LED 630 off", "Lamp off", "LED 555 power_mw 6.0", "LED 555 on"],
        *["Emission turn ET605/52", "Shutter open", "Camera expose", "Shutter close"],
        *["LED 385 off", "LED 555 off", "LED 630 off", "Lamp off", "LED 475 power_mw 6.0", "LED 475 on"],
        *["Emission turn ET525/50", *LIVE_AGAIN],
    ]
    burst = [frame for frame in rig[2].frames if frame.labels.get("action") == "burst"]
    assert [dict(frame.index) for frame in burst] == [{"t": 0}, {"t": 1}, {"t": 2}, {"t": 3}]
    assert {(frame.exposure_ms, frame.labels["c"], frame.id.segment) for frame in burst} == {(3.0, "TRITC", 1)}
    assert (rig[2].frames[-1].exposure_ms, rig[2].frames[-1].id.segment) == (5.0, 2)
    journal = list(rig[0].bench.journal)
    there = next(place for place, one in enumerate(journal) if one.value == "ET605/52")
    begins = [one.at_s for one in journal[there:] if one.verb == "expose"][:4]
    apart = np.diff(begins) / 0.01  # a computer that is too slow leaves exposures out
    assert apart == pytest.approx(np.rint(apart), abs=1e-4)
    assert apart.min() > 0.5


def test_a_stack_comes_back(rig: tuple[specimen.SpecimenScope, CoreController, Taker]) -> None:
    words = told(rig, Stack(3, 0.5))
    words = words[words.index("Shutter close") :]
    plane = ["Shutter open", "Camera expose", "Shutter close"]
    assert words == [
        *["Shutter close", "Focus move -0.5", *plane, "Focus move 0.0", *plane, "Focus move 0.5", *plane],
        *["Focus move 0.0", *LIVE_AGAIN],
    ]
    planes = [frame for frame in rig[2].frames if frame.labels.get("action") == "stack"]
    assert [(frame.index["z"], frame.stage_um) for frame in planes] == [
        (0, (50.0, 50.0, -0.5)),
        (1, (50.0, 50.0, 0.0)),
        (2, (50.0, 50.0, 0.5)),
    ]


@pytest.mark.parametrize("stay", [False, True])
def test_a_visit_moves_in_the_dark_and_comes_back(
    rig: tuple[specimen.SpecimenScope, CoreController, Taker], stay: bool
) -> None:
    words = told(rig, Visit(((20.0, 20.0), (30.0, 20.0), (90.0, 90.0)), stay=stay))
    words = words[words.index("Shutter close") :]
    shot = ["Shutter open", "Camera expose", "Shutter close"]
    assert words == [
        *["Shutter close", "XY move (20.0, 20.0)", *shot, "XY move (30.0, 20.0)", *shot],
        *["Shutter close", "XY move (90.0, 90.0)", *shot],
        *([] if stay else ["Shutter close", "XY move (50.0, 50.0)"]),
        *LIVE_AGAIN,
    ]
    tiles = [frame for frame in rig[2].frames if frame.labels.get("action") == "tile"]
    assert [(frame.index["p"], frame.stage_um) for frame in tiles] == [
        (0, (20.0, 20.0, 0.0)),
        (1, (30.0, 20.0, 0.0)),
        (2, (90.0, 90.0, 0.0)),
    ]
    here = (90.0, 90.0) if stay else (50.0, 50.0)
    assert (rig[1].setting().x_um, rig[1].setting().y_um) == here == rig[0].bench.xyz_um()[:2]


def test_light_goes_through_a_mask_in_the_dark_alone(
    rig: tuple[specimen.SpecimenScope, CoreController, Taker],
) -> None:
    words = told(rig, Project(LIT, PIXEL_UM, 50.0, 50.0, "LED 385", 4.0, 20.0))
    words = words[words.index("Shutter close") :]
    assert words == [
        *["Shutter close", "Shutter close", "LED 475 off", "SLM display", "SLM display"],
        *["LED 385 power_mw 4.0", "Shutter open", "LED 385 on"],
        *["LED 385 off", "Shutter close", "LED 385 power_mw 0.0", "SLM display", "SLM display", "LED 475 on"],
        *LIVE_AGAIN,
    ]
    lit = {one.verb: one.at_s for one in rig[0].bench.journal if one.device == "LED 385"}
    assert lit["off"] - lit["on"] >= 0.02


def test_the_light_of_the_channel_has_its_power_again_after_a_projection(
    rig: tuple[specimen.SpecimenScope, CoreController, Taker],
) -> None:
    words = told(rig, Project(LIT, PIXEL_UM, 50.0, 50.0, "LED 475", 4.0, 5.0))
    told_475 = [word for word in words if word.startswith("LED 475")]
    assert told_475 == [
        *["LED 475 off", "LED 475 power_mw 4.0", "LED 475 on", "LED 475 off", "LED 475 power_mw 6.0", "LED 475 on"]
    ]


def test_a_pulse_of_the_shutter_has_the_camera_at_rest(
    rig: tuple[specimen.SpecimenScope, CoreController, Taker],
) -> None:
    words = told(rig, Pulse("shutter", 10.0))
    assert words[words.index("Shutter close") :] == ["Shutter close", "Shutter open", "Shutter close", *LIVE_AGAIN]


def test_an_autofocus_goes_through_its_planes_from_below(
    rig: tuple[specimen.SpecimenScope, CoreController, Taker],
) -> None:
    words = told(rig, Autofocus(4.0, 1.0))
    moves = [float(word.split()[-1]) for word in words if word.startswith("Focus move")]
    assert moves[:5] == [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert moves[5] == pytest.approx(moves[6] - 1.0)
    assert moves[6] == pytest.approx(0.0, abs=0.2)
    assert len(moves) == 7


def test_intervals_pauses_and_the_end(rig: tuple[specimen.SpecimenScope, CoreController, Taker]) -> None:
    scope, controller, taker = rig
    words = told(rig, SetInterval(0.05), 4)
    one = ["Shutter open", "Camera expose", "Shutter close"]
    tail = words[words.index("Shutter close") + 1 :]
    assert tail[:9] == one * 3
    routine = [frame for frame in taker.frames if frame.id.segment == taker.frames[-1].id.segment]
    assert [frame.id.seq for frame in routine] == list(range(len(routine)))
    controller.apply(Pause())
    assert controller.setting().paused
    controller.apply(MoveStage(55.0, 50.0))  # as long as a frame that was under way
    begin = now(scope)
    controller.apply(Burst(2))
    assert brief(heard(scope, begin)) == one
    controller.apply(Resume())
    taker.more(2)
    controller.apply(SetInterval(0.0))
    taker.more(5)
    controller.apply(Stop())
    taker.joined()
    assert brief(heard(scope))[-1] == "Shutter close"
    assert not scope.core.is_sequence_running()
