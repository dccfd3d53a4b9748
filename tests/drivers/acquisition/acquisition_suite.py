"""What controllers of acquisitions promise beyond others: a queue, a routine, and ends in order."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from onscope.drivers.micromanager.acquisition import plain
from onscope.runtime import ControlError
from onscope.runtime.feedback import (
    Autofocus,
    Burst,
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

from .controller_suite import PLACES, ControllerSuite
from .driven import HOME
from .sessions import Acquired

Make = Callable[..., Acquired]
"""Makes the acquisition of a test, with a Routine and options of the controller; the last one made is ended."""


class AcquisitionSuite(ControllerSuite):
    """Give it a `make` fixture, too; `driven` is what it makes without arguments."""

    @pytest.fixture
    def driven(self, make: Make) -> Acquired:
        return make()

    def test_frames_come_in_the_order_of_the_queue(self, driven: Acquired) -> None:
        driven.drive(Burst(3), Stack(3, 1.0), Visit(PLACES[:2]), Autofocus(2.0, 1.0))
        order = ["burst 1", "stack 2", "visit 3 tile 0", "visit 3 tile 1", "autofocus 4"]
        assert [name for name in driven.gauge.order() if name != "routine"] == order
        counts = [driven.gauge.names.count(name) for name in order]
        assert counts == [3, 3, 1, 1, 3]

    def test_actions_come_before_the_routine(self, make: Make) -> None:
        """Pass: what is asked for in a pause of an hour comes at once, and the routine after its resumption."""
        driven = make(plain(channels=["FITC"], exposure_ms=4.0, interval_s=0.0))
        driven.begin()
        driven.controller.apply(Pause(3600.0))
        burst, stack = Burst(4), Stack(3, 1.0)
        driven.controller.apply(burst)
        driven.controller.apply(stack)
        driven.gauge.wait(lambda names: names.count("stack 2") == 3)
        assert driven.controller.setting().paused
        before = driven.gauge.routine()
        driven.controller.apply(Resume())
        driven.gauge.wait(lambda names: names.count("routine") > before)
        assert not driven.controller.setting().paused
        assert driven.controller.frames_of(burst) == (4, 4)
        assert driven.controller.frames_of(stack) == (3, 3)

    def test_the_routine_does_not_stand_between_an_action_and_the_camera(self, make: Make) -> None:
        """Pass: with an hour to the next round, a burst comes now; and so does the next round, once it may."""
        driven = make(plain(channels=["FITC"], exposure_ms=4.0, interval_s=0.0))
        driven.begin()
        driven.controller.apply(SetInterval(3600.0))
        driven.controller.apply(Burst(3))
        driven.gauge.wait(lambda names: names.count("burst 1") == 3)
        before = driven.gauge.routine()
        driven.controller.apply(SetInterval(0.0))
        driven.gauge.wait(lambda names: names.count("routine") >= before + 2)

    def test_no_more_than_few_frames_of_the_routine_are_ahead_of_an_action(self, driven: Acquired) -> None:
        driven.begin()
        driven.controller.apply(Pause())
        quiet = driven.gauge.routine()
        driven.controller.apply(Burst(1))
        driven.gauge.wait(lambda names: "burst 1" in names)
        assert driven.gauge.routine() <= quiet + 3

    def test_a_queue_that_is_full_refuses(self, make: Make) -> None:
        driven = make(capacity=10)
        driven.begin()
        driven.controller.apply(Pause())
        with pytest.raises(ControlError, match="expected at most 10: ask for fewer"):
            driven.controller.apply(Burst(11))
        driven.controller.apply(Burst(10))
        driven.gauge.wait(lambda names: names.count("burst 1") + names.count("burst 2") == 10)

    def test_what_is_thrown_away_is_told(self, driven: Acquired) -> None:
        driven.begin()
        spread, behind = Burst(50, interval_ms=1e7), Visit(PLACES)
        driven.controller.apply(spread)
        driven.controller.apply(behind)
        driven.gauge.wait(lambda names: "burst 1" in names)
        driven.controller.apply(Stop("enough"))
        driven.finish()
        told = " ".join(one.message for one in driven.told)
        assert "visit 2 (3 frames) was thrown away: the acquisition was stopped (enough)" in told
        assert "burst 1: 1 of 50 frames came" in told
        assert driven.controller.frames_of(spread) == (1, 50)
        assert driven.controller.frames_of(behind) == (0, 3)
        with pytest.raises(ControlError, match="found no acquisition running"):
            driven.controller.apply(Burst(2))

    def test_the_routine_ends_after_its_rounds(self, make: Make) -> None:
        driven = make(plain(channels=["FITC", "DAPI"], exposure_ms=4.0, rounds=3))
        driven.begin()
        driven.finish()
        assert driven.gauge.names == ["routine"] * 6
        lights = [one.lights for one in driven.exposures()]
        assert lights == [frozenset({"LED 475"}), frozenset({"LED 385"})] * 3
        assert driven.told == []

    def test_exposure_and_channel_of_the_routine_change(self, make: Make) -> None:
        driven = make(plain(channels=["FITC", "DAPI"], exposure_ms=4.0))
        driven.drive(SetExposure(9.0), SetPreset("Channel", "Cy5"), Burst(1))
        last = driven.exposures()[-2:]
        assert {one.lights for one in last} == {frozenset({"LED 630"})}
        assert driven.exposure_ms(-1) == 9.0

    def test_every_place_is_moved_by_itself(self, make: Make) -> None:
        driven = make(plain(channels=["FITC"], exposure_ms=4.0, positions=[(40, 40), (70, 60)]))
        driven.drive(MoveStage(72.0, 61.0))
        places = {(one.x_um, one.y_um) for one in driven.exposures()[-2:]}
        names = set(driven.gauge.names)
        assert places == {(40.0, 40.0), (72.0, 61.0)}
        assert names == {"position 0", "position 1"}

    def test_the_power_of_a_light_holds_in_all_frames(self, driven: Acquired) -> None:
        (power, *_) = driven.drive(SetPower("LED 475", 2.5), Burst(3), Burst(2, channel="DAPI"), Burst(2))
        assert power.commands
        lit: dict[str, float] = {}
        at_exposure = []
        for one in driven.bench.journal:
            if one.verb == "power_mw":
                assert isinstance(one.value, float)
                lit[one.device] = one.value
            elif one.verb == "expose":
                at_exposure.append(lit["LED 475"])
        after = at_exposure[at_exposure.index(2.5) :]
        assert len(after) >= 7
        assert set(after) == {2.5}

    def test_light_and_lines_come_between_frames(self, driven: Acquired) -> None:
        mask = np.ones((8, 8), np.uint8)
        begun = len(driven.bench.journal)
        project = Project(mask, 0.5, *HOME, "LED 475", 3.0, 5.0)
        for done in driven.drive(project, Pulse("shutter", 2.0)):
            assert done.commands
        exposing = [one for one in list(driven.bench.journal)[begun:] if one.device in ("Camera", "SLM")]
        shown = next(k for k, one in enumerate(exposing) if one.device == "SLM")
        assert 0 < shown < len(exposing) - 1

    def test_it_ends_in_order_by_ctrl_c(self, make: Make) -> None:
        driven = make()

        def interrupt() -> None:
            driven.gauge.wait(lambda names: len(names) >= 3)
            _thread.interrupt_main()

        waker = threading.Thread(target=interrupt)
        waker.start()
        with pytest.raises(KeyboardInterrupt):
            driven.acquire()
        waker.join()
        assert driven.is_dark()
        assert not driven.scope.mmc.isSequenceRunning()
        with pytest.raises(ControlError, match="found no acquisition running"):
            driven.controller.apply(Burst(2))

    def test_a_sequence_under_way_is_broken_off(self, driven: Acquired) -> None:
        driven.begin()
        driven.controller.apply(Burst(1500))
        driven.gauge.wait(lambda names: names.count("burst 1") > 5)
        driven.controller.apply(Stop())
        driven.finish()
        assert 5 < driven.gauge.names.count("burst 1") < 1500
        assert any("of 1500 frames came" in one.message for one in driven.told)
        assert not driven.scope.mmc.isSequenceRunning()
        assert driven.is_dark()

    def test_errors_of_the_engine_leave_the_microscope_safe(self, make: Make) -> None:
        driven = make(patience_s=2.0)
        driven.fail_after(3)
        with pytest.raises(Exception, match=r"did not come within 2 s|the stage does not answer"):
            driven.acquire()
        assert driven.is_dark()
        assert len(driven.told) == 1
        assert {one.verb for one in list(driven.bench.journal)[-40:] if one.device.startswith("LED")} >= {"off"}

    def test_a_slow_burst_is_not_early(self, driven: Acquired) -> None:
        """Pass: no frame comes before its time; late they may all be, on a busy machine."""
        begun_s = time.monotonic()
        driven.drive(Burst(4, interval_ms=30.0))
        stamps = [at for at, name in zip(driven.gauge.at_s, driven.gauge.names, strict=True) if name == "burst 1"]
        assert len(stamps) == 4
        assert all(stamp - begun_s >= 0.03 * frame for frame, stamp in enumerate(stamps))
