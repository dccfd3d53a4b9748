"""What every Controller promises: subclass `ControllerSuite` and give it a `driven` fixture."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Sequence

import pytest

from onscope.runtime import ControlError
from onscope.runtime.feedback import (
    Action,
    Autofocus,
    Burst,
    Controller,
    Limits,
    Mark,
    MoveFocus,
    MoveStage,
    SetExposure,
    SetInterval,
    SetPreset,
    Setting,
    Stack,
    Visit,
)

from .driven import HOME, Driven

PLACES = ((40.0, 40.0), (45.0, 40.0), (45.0, 45.0))
NONSENSE: list[Action] = [
    MoveStage(math.nan, 0.0),
    MoveFocus(math.inf),
    SetExposure(math.nan),
    SetExposure(-1.0),
    SetInterval(-1.0),
    Burst(0),
    Burst(3, channel="no such channel"),
    Stack(0, 1.0),
    Stack(3, math.nan),
    Visit(()),
    Visit(((math.nan, 0.0),)),
    Autofocus(2.0, 0.0),
    SetPreset("Channel", "no such channel"),
    MoveStage(1e6, 0.0),
    Stack(3, 1e6),
    Visit(((1e6, 0.0),)),
]


class ControllerSuite:
    """Pass conditions are in the bench's journal: what the devices were told, in which order."""

    def test_it_is_a_controller_that_knows_where_it_stands(self, driven: Driven) -> None:
        controller = driven.controller
        assert isinstance(controller, Controller)
        assert isinstance(controller.limits(), Limits)
        setting = controller.setting()
        assert isinstance(setting, Setting)
        assert (setting.x_um, setting.y_um, setting.z_um) == (*HOME, 0.0)

    def test_a_burst_is_taken_here(self, driven: Driven) -> None:
        burst = Burst(5)
        (done,) = driven.drive(burst)
        assert done.began_ns <= done.done_ns
        assert done.commands
        assert driven.frames_of(burst) == 5
        assert {(one.x_um, one.y_um, one.z_um) for one in driven.exposures()} == {(*HOME, 0.0)}

    def test_a_stack_is_around_the_focus_and_comes_back(self, driven: Driven) -> None:
        driven.drive(MoveFocus(2.0), Stack(3, 1.0))
        assert _holds([one.z_um for one in driven.exposures()], [1.0, 2.0, 3.0])
        assert driven.place()[2] == pytest.approx(2.0, abs=0.05)
        assert driven.controller.setting().z_um == 2.0

    def test_a_visit_comes_back(self, driven: Driven) -> None:
        driven.drive(Visit(PLACES))
        assert _holds([(one.x_um, one.y_um) for one in driven.exposures()], list(PLACES))
        assert driven.place()[:2] == pytest.approx(HOME, abs=0.05)

    def test_a_visit_stays_where_it_is_told_to(self, driven: Driven) -> None:
        driven.drive(Visit(PLACES, stay=True))
        assert driven.place()[:2] == pytest.approx(PLACES[-1], abs=0.05)
        setting = driven.controller.setting()
        assert (setting.x_um, setting.y_um) == PLACES[-1]

    def test_the_focus_stays_where_it_is_sharp(self, driven: Driven) -> None:
        driven.drive(MoveFocus(1.5), Autofocus(6.0, 1.0))
        assert driven.place()[2] == pytest.approx(0.0, abs=0.6)
        assert driven.controller.setting().z_um == pytest.approx(0.0, abs=0.6)

    def test_the_stage_goes_where_it_is_told_to(self, driven: Driven) -> None:
        driven.drive(MoveStage(60.0, 55.0), Burst(2))
        assert [(one.x_um, one.y_um) for one in driven.exposures()][-2:] == [(60.0, 55.0)] * 2
        setting = driven.controller.setting()
        assert (setting.x_um, setting.y_um) == (60.0, 55.0)

    def test_actions_are_done_in_the_order_in_which_they_are_asked_for(self, driven: Driven) -> None:
        driven.drive(Visit(PLACES), MoveFocus(1.0), Stack(3, 0.5), MoveStage(55.0, 55.0), Burst(2))
        told = [(one.x_um, one.y_um, one.z_um) for one in driven.exposures()]
        wanted = [
            *((x, y, 0.0) for x, y in PLACES),
            *((*HOME, z) for z in (0.5, 1.0, 1.5)),
            *((55.0, 55.0, 1.0) for _ in range(2)),
        ]
        assert _holds(told, wanted)

    def test_another_channel_for_one_action_alone(self, driven: Driven) -> None:
        driven.drive(SetPreset("Channel", "FITC"), Burst(3, channel="DAPI"), Burst(1))
        lights = [one.lights for one in driven.exposures()]
        assert lights.count(frozenset({"LED 385"})) == 3
        assert lights[-1] == frozenset({"LED 475"})
        assert driven.controller.setting().channel == "FITC"

    def test_settings_are_taken_over(self, driven: Driven) -> None:
        driven.drive(SetExposure(7.0), SetInterval(0.01), SetPreset("Channel", "Cy5"), Burst(1))
        setting = driven.controller.setting()
        assert (setting.exposure_ms, setting.interval_s, setting.channel) == (7.0, 0.01, "Cy5")
        assert driven.exposures()[-1].lights == frozenset({"LED 630"})

    def test_a_mark_tells_the_hardware_nothing(self, driven: Driven) -> None:
        driven.drive(Mark("seen"))

    @pytest.mark.parametrize("action", NONSENSE, ids=repr)
    def test_nonsense_is_refused_and_nothing_stands_still(self, driven: Driven, action: Action) -> None:
        driven.begin()
        before = driven.controller.setting()
        with pytest.raises(ControlError, match=r"^found .*, expected .*: "):
            driven.controller.apply(action)
        assert driven.controller.setting() == before
        driven.drive(Burst(2))

    @pytest.mark.parametrize("seed", range(3))
    def test_the_safe_state_at_any_moment(self, driven: Driven, seed: int) -> None:
        """Pass: what is asked for afterwards is refused or not lit; the shutter is closed when all is over."""
        chance = random.Random(seed)
        driven.begin()
        for action in (Burst(20), Stack(5, 1.0), Visit(PLACES)):
            driven.controller.apply(action)
        moment = chance.randrange(1, 20)
        safe = threading.Thread(target=driven.controller.safe)
        while len(driven.exposures()) < moment:
            threading.Event().wait(0.001)
        safe.start()
        safe.join()
        driven.finish()
        assert driven.is_dark()
        before = len(driven.exposures())
        with pytest.raises(ControlError):
            driven.controller.apply(Burst(3))
        assert len(driven.exposures()) == before

    def test_the_safe_state_twice_and_with_nothing_under_way(self, driven: Driven) -> None:
        driven.controller.safe()
        driven.controller.safe()
        assert driven.is_dark()


def _holds(told: Sequence[object], wanted: Sequence[object]) -> bool:
    return any(told[k : k + len(wanted)] == wanted for k in range(len(told) - len(wanted) + 1))
