"""How a stand carries each kind of action out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onscope.runtime import ControlError
from onscope.runtime.feedback import (
    Action,
    Autofocus,
    Burst,
    MoveFocus,
    MoveStage,
    Project,
    Pulse,
    SetExposure,
    SetPower,
    SetPreset,
    Stack,
    Visit,
    offsets_um,
)

from ._shots import sharpness
from ._stand import Stand


def carry(stand: Stand, action: Action) -> None:
    """Carry it out, if it is about the stand at all (the routine's pace is not). Raises ControlError."""
    how = CARRIED.get(type(action))
    if how is not None:
        how(stand, action)


def _exposure(stand: Stand, action: SetExposure) -> None:
    stand.exposure_ms = action.exposure_ms
    stand.command("exposure_ms", "camera", action.exposure_ms)


def _burst(stand: Stand, action: Burst) -> None:
    begun = stand.seconds
    for number in range(action.frames):
        stand.to(begun + number * action.interval_ms / 1e3)
        stand.expose(action.channel, action.exposure_ms)


def _stack(stand: Stand, action: Stack) -> None:
    middle = stand.z_um
    for off_um in offsets_um(action):
        stand.focus(middle + off_um)
        stand.expose(action.channel, action.exposure_ms)
    stand.focus(middle)


def _visit(stand: Stand, action: Visit) -> None:
    home = stand.x_um, stand.y_um
    for place in action.places:
        stand.move(*place)
        stand.expose(action.channel, action.exposure_ms)
    if not action.stay:
        stand.move(*home)


def _autofocus(stand: Stand, action: Autofocus) -> None:
    middle, found = stand.z_um, []
    for off_um in offsets_um(action):
        stand.focus(middle + off_um)
        shot = stand.expose(action.channel, action.exposure_ms, keep=False)
        found.append((sharpness(shot.frame.pixels), middle + off_um))
    stand.focus(max(found, key=lambda each: (each[0], -abs(each[1] - middle)))[1])


def _project(stand: Stand, action: Project) -> None:
    at_um = action.x_um, action.y_um
    stand.project(action.mask, action.pixel_um, at_um, action.light, action.power_mw, action.duration_ms / 1e3)


def _pulse(stand: Stand, action: Pulse) -> None:
    raise ControlError(f"found the line {action.line!r}, expected none: the virtual microscope has no lines")


CARRIED: dict[type[Action], Callable[[Stand, Any], None]] = {
    MoveStage: lambda stand, action: stand.move(action.x_um, action.y_um),
    MoveFocus: lambda stand, action: stand.focus(action.z_um),
    SetPreset: lambda stand, action: stand.choose(action.group, action.preset),
    SetPower: lambda stand, action: stand.set_power(action.light, action.power_mw),
    SetExposure: _exposure,
    Burst: _burst,
    Stack: _stack,
    Visit: _visit,
    Autofocus: _autofocus,
    Project: _project,
    Pulse: _pulse,
}
