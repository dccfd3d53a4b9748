"""Faults in the middle of actions, and the safe state: dark, whoever hangs or refuses."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.drivers.micromanager.control import CoreController, calibration_of
from onscope.runtime import ControlError
from onscope.runtime.feedback import Action, Autofocus, Burst, MoveStage, Project, Pulse, SetPreset, Stack, Visit

from ...processes import heed_ctrl_c
from .rigs import PAUSE, brief, controlled, heard, now, taken

LIT = np.full((64, 64), 255, np.uint8)
PIXEL_UM = 6.5 / 60


def projection(ms: float = 20.0, light: str = "LED 385") -> Project:
    return Project(LIT, PIXEL_UM, 50.0, 50.0, light, 4.0, ms)


class Failing:
    """A core of which one method fails once, after `after` calls with some arguments; or always, when told so."""

    def __init__(self, core: Any, method: str, after: int, *args: object) -> None:
        self._core, self._method, self._left, self._args = core, method, after, args
        self.fails: Callable[[], None] = self._fail
        self.always = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._core, name)
        if name != self._method:
            return found

        def call(*args: Any) -> Any:
            if args[: len(self._args)] == self._args:
                self._left -= 1
                if self._left == -1 or (self._left < -1 and self.always):
                    self.fails()
            return found(*args)

        return call

    def _fail(self) -> None:
        raise RuntimeError("the serial line is gone")


def is_dark(bench: Any) -> bool:
    return not bench.lights.shutter_open


FAULTS: list[tuple[Action, str, int, tuple[object, ...], str]] = [
    (projection(), "display_slm_image", 1, (), "SLM refused display"),
    (projection(), "set_slm_image", 0, (), "SLM refused image"),
    (projection(), "set_property", 0, ("LED 385", "Power_mW"), "LED 385 refused set Power_mW=4"),
    (projection(), "set_property", 0, ("LED 385", "State", 1), "LED 385 refused set State=1"),
    (projection(), "set_property", 0, ("LED 385", "State", 0), "LED 385 refused set State=0"),
    (projection(), "device_busy", 0, ("Shutter",), "Shutter refused wait"),
    (Stack(3, 1.0), "set_position", 1, (), "Focus refused move 0.0"),
    (Stack(3, 1.0), "start_sequence_acquisition", 2, (), "Camera refused start 1"),
    (
        Visit(((20.0, 20.0), (30.0, 20.0), (80.0, 80.0))),
        "set_xy_position",
        0,
        (80.0,),
        r"XY refused move \(80.0, 80.0\)",
    ),
    (Autofocus(4.0, 1.0), "pop_next_tagged_image", 3, (), "found that the camera failed"),
    (Burst(3, 0.0, "TRITC"), "start_sequence_acquisition", 0, (), "Camera refused start 3"),
    (SetPreset("Channel", "TRITC"), "wait_for_config", 0, (), "Channel refused wait TRITC"),
    (Pulse("shutter", 5.0), "set_property", 0, ("Shutter", "State", 1), "Shutter refused set State=1"),
]


@pytest.mark.parametrize(("action", "method", "after", "args", "words"), FAULTS)
def test_a_device_that_fails_in_the_middle_leaves_darkness_and_the_old_place(
    action: Action, method: str, after: int, args: tuple[object, ...], words: str
) -> None:
    with controlled() as (scope, _):
        plain = scope.core
        scope.core = Failing(plain, method, after, *args)
        controller = CoreController(scope, calibration_of(scope))
        source = controller.live(exposure_ms=5.0)
        with pytest.raises(ControlError, match=words):
            controller.apply(action)
        assert is_dark(scope.bench)
        assert scope.bench.xyz_um() == (50.0, 50.0, 0.0)
        if not (method == "set_property" and args == ("LED 385", "State", 0)):
            assert not scope.bench.lights.is_on("LED 385")
        if action.kind == "project":
            assert scope.bench.lights.power_mw("LED 385") == 0.0
        if action.kind == "burst":
            assert controller.setting().channel == "FITC"
            assert scope.mmc.getCurrentConfig("Channel") == "FITC"
        scope.core = source.live.core = plain  # mended: it goes on
        assert not scope.core.is_sequence_running()


def test_a_device_that_stays_busy_is_told_in_words() -> None:
    with controlled(timeout_s=0.05) as (scope, controller):
        scope.core.device_busy = lambda label: label == "XY"  # type: ignore[method-assign]
        with pytest.raises(ControlError, match=r"found XY busy for more than 0.05 s, expected it to be done: look"):
            controller.apply(MoveStage(55.0, 50.0))
        assert is_dark(scope.bench)


def test_what_a_stage_refuses_is_an_error_and_the_frames_go_on() -> None:
    with controlled(real=True) as (scope, controller), taken(controller.live(exposure_ms=5.0)) as taker:
        with pytest.raises(ControlError, match=r"found that XY refused move \(5000.0, 50.0\) \(found x = 5000 um"):
            controller.apply(MoveStage(5000.0, 50.0))
        taker.more(3)
        assert controller.setting().x_um == 50.0
        assert scope.bench.lights.shutter_open  # live, as before


def test_safe_closes_all_in_order_and_ends_the_frames() -> None:
    with controlled(real=True) as (scope, controller):
        source = controller.live(exposure_ms=5.0)
        with taken(source) as taker:
            commands = controller.safe()
            taker.joined()
        words = [f"{one.verb} {one.device} {one.value}" for one in commands]
        assert words[0] == "close Shutter None"
        switches = [f"set {light} State=0" for light in ("LED 385", "LED 475", "LED 555", "LED 630", "Lamp")]
        assert words[1:6] == switches
        assert all(word.endswith("Power_mW=0.0") for word in words[6:11])
        assert words[12:] == ["stop  None", "pixels SLM 0", "display SLM None", "close Shutter None"]
        assert [one.at_ns for one in commands] == sorted(one.at_ns for one in commands)
        assert is_dark(scope.bench)
        assert not any(scope.bench.lights.is_on(name) for name in ("LED 385", "LED 475"))
        assert not scope.core.is_sequence_running()
        assert not np.asarray(scope.mmc.getSLMImage()).any()
        assert [one.verb for one in controller.safe()] == [one.verb for one in commands]


@pytest.mark.parametrize("during", [projection(60_000.0), Pulse("shutter", 60_000.0), Burst(100_000)])
def test_safe_ends_an_action_that_is_under_way(during: Action) -> None:
    with controlled(real=True) as (scope, controller), taken(controller.live(exposure_ms=5.0)):
        failed: list[BaseException] = []
        begin = now(scope)

        def act() -> None:
            try:
                controller.apply(during)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=act)
        thread.start()
        while not any(word == "Shutter open" for word in brief(heard(scope, begin))):
            PAUSE.wait(0.001)
        controller.safe()
        thread.join(60)
        assert isinstance(failed[0], ControlError)
        assert is_dark(scope.bench)
        assert not any(scope.bench.lights.is_on(name) for name in ("LED 385", "LED 475"))
        assert not np.asarray(scope.mmc.getSLMImage()).any()
        begin = now(scope)
        PAUSE.wait(0.05)
        assert "Shutter open" not in brief(heard(scope, begin))


@pytest.mark.long
@pytest.mark.parametrize("how", ["refuses", "hangs"])
def test_one_device_that_refuses_or_hangs_does_not_keep_the_others_on(how: str) -> None:
    with controlled() as (scope, _):
        plain, free = scope.core, threading.Event()
        scope.core = failing = Failing(plain, "set_property", 0, "LED 385")
        failing.always = True
        if how == "hangs":
            failing.fails = lambda: free.wait(60)  # type: ignore[assignment]
        calibration = calibration_of(scope)
        controller = CoreController(scope, calibration)
        plain.set_shutter_open(True)  # type: ignore[attr-defined]
        for name in ("LED 475", "LED 555"):
            plain.set_property(name, "State", 1)
        controller.safe()
        assert is_dark(scope.bench)
        assert not any(scope.bench.lights.is_on(name) for name in ("LED 475", "LED 555", "LED 630"))
        assert not np.asarray(scope.mmc.getSLMImage()).any()
        free.set()
        scope.core = plain


def test_what_hangs_while_it_lights_is_switched_off_when_it_comes_back() -> None:
    with controlled() as (scope, _):
        plain, hangs, free = scope.core, threading.Event(), threading.Event()
        scope.core = failing = Failing(plain, "set_property", 0, "LED 385", "State", 1)

        def hang() -> None:
            hangs.set()
            free.wait(60)

        failing.fails = hang
        controller = CoreController(scope, calibration_of(scope))
        failed: list[BaseException] = []

        def act() -> None:
            try:
                controller.apply(projection())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=act)
        thread.start()
        assert hangs.wait(60)
        controller.safe()
        assert is_dark(scope.bench)
        free.set()
        thread.join(60)
        assert "safe state was asked for" in str(failed[0])
        assert is_dark(scope.bench)
        assert not scope.bench.lights.is_on("LED 385")
        scope.core = plain


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
@pytest.mark.parametrize("action", ["projection(60_000.0)", "Pulse('shutter', 60_000.0)"])
def test_ctrl_c_in_the_middle_leaves_darkness(action: str) -> None:
    script = f"""
from tests.drivers.control.test_safe import *
with controlled(real=True) as (scope, controller):
    scope.mmc.events.propertyChanged.connect(
        lambda device, name, value: print("lit", flush=True) if (device, value) == ("Shutter", "1") else None
    )
    try:
        controller.apply({action})
    except KeyboardInterrupt:
        lights = scope.bench.lights
        print(lights.shutter_open, lights.is_on("LED 385"), lights.power_mw("LED 385"))
"""
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c, cwd=root
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "lit":
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=240)
    assert told.splitlines()[-1] == "False False 0.0"
