"""What each kind of action does with the rig."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from onscope.runtime import ControlError
from onscope.runtime.feedback import (
    Action,
    Autofocus,
    Burst,
    Mark,
    MoveFocus,
    MoveStage,
    Notify,
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

from ._excursions import Excursions
from ._hands import calmly
from ._rig import Rig
from ._slm import project


def move_stage(rig: Rig, action: MoveStage) -> None:
    """A long move is made in the dark, with the camera at rest; during a short one it goes on."""
    far = rig.places.far(action.x_um, action.y_um) > rig.calibration.stages.dark_um
    with rig.at_rest() if far else nullcontext():
        if far:
            rig.close_shutter()
        rig.places.go(action.x_um, action.y_um)


def move_focus(rig: Rig, action: MoveFocus) -> None:
    rig.places.focus(action.z_um)


def set_preset(rig: Rig, action: SetPreset) -> None:
    with rig.at_rest():
        rig.close_shutter()
        rig.lights.choose(action.group, action.preset)
        rig.read_pixels()


def set_exposure(rig: Rig, action: SetExposure) -> None:
    scope, asked = rig.scope, float(action.exposure_ms)

    def command() -> None:
        rig.core.set_exposure(asked) if scope is None else scope.set_exposure(asked, rig.camera)

    rig.hands.send("exposure", rig.camera, asked, command)
    rig.exposure_ms = asked


def set_power(rig: Rig, action: SetPower) -> None:
    rig.lights.set_power(action.light, action.power_mw)


def set_interval(rig: Rig, action: SetInterval) -> None:
    source = rig.steered(action)
    source.interval_s = float(action.interval_s)
    source.changed()


def excursion(rig: Rig, action: Autofocus | Burst | Stack | Visit) -> None:
    stages = rig.calibration.stages
    getattr(Excursions(rig.hands, rig.lights, rig.places, rig.steered(action), stages.dark_um), action.kind)(action)


def projected(rig: Rig, action: Project) -> None:
    with rig.at_rest():
        project(rig.hands, rig.lights, rig.calibration, action, rig.places.here, rig.chip_um)


def pulse(rig: Rig, action: Pulse) -> None:
    line = rig.calibration.lines.get(action.line)
    if line is None:
        known = ", ".join(rig.calibration.lines) or "none"
        raise ControlError(f"found the line {action.line!r}, expected one of {known}: name it in the calibration")
    own = line.device == rig.lights.shutter
    with rig.at_rest() if own else nullcontext(), calmly(lambda: rig.hands.turn(line, False)):
        rig.hands.turn(line, True)
        rig.hands.sleep(action.duration_ms / 1e3)


def pause(rig: Rig, action: Pause) -> None:
    source, seconds = rig.steered(action), action.duration_s
    source.paused_until_s = math.inf if seconds is None else rig.clock.now_s() + float(seconds)
    source.changed()


def resume(rig: Rig, action: Resume) -> None:
    source = rig.steered(action)
    source.paused_until_s = -math.inf
    source.changed()


def stop(rig: Rig, action: Stop) -> None:
    source = rig.steered(action)
    source.end()
    source.changed()


def nothing(rig: Rig, action: Mark | Notify) -> None:
    """Not the hardware's."""


DEEDS: Mapping[type[Action], Callable[[Rig, Any], None]] = {
    MoveStage: move_stage,
    MoveFocus: move_focus,
    SetPreset: set_preset,
    SetExposure: set_exposure,
    SetPower: set_power,
    SetInterval: set_interval,
    Autofocus: excursion,
    Burst: excursion,
    Stack: excursion,
    Visit: excursion,
    Project: projected,
    Pulse: pulse,
    Pause: pause,
    Resume: resume,
    Stop: stop,
    Mark: nothing,
    Notify: nothing,
}
"""All kinds of actions."""
