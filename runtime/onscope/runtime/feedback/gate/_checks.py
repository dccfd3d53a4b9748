"""One check for every kind of action: against the limits, as the microscope stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from .._actions import (
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
from .._controller import Setting
from .._limits import Limits
from .._planes import planes
from ._imaging import Checked, channel, duration_s, exposure, interval, lasting, lights, power
from ._mask import projected
from ._moves import around, focus_step, place, way
from ._values import RefusedError, at_most, listed, positive, shown, whole, within, words

LONGEST_PAUSE_S = 7 * 24 * 3600.0


def _move_stage(action: MoveStage, limits: Limits, setting: Setting) -> Checked:
    to = place(action.x_um, action.y_um, limits)
    way((to,), limits, setting)
    return Checked(MoveStage(*to))


def _move_focus(action: MoveFocus, limits: Limits, setting: Setting) -> Checked:
    z_um = within(action.z_um, limits.z_um, "the focus", "um")
    focus_step(z_um, limits, setting)
    return Checked(MoveFocus(z_um))


def _autofocus(action: Autofocus, limits: Limits, setting: Setting) -> Checked:
    range_um, step_um = positive(action.range_um, "the range"), positive(action.step_um, "the step")
    if not range_um / step_um <= limits.frames:
        raise RefusedError(
            f"found {range_um:g} um in steps of {step_um:g} um, allowed are {limits.frames} frames at once: search in "
            "larger steps"
        )
    named = channel(action.channel, limits, setting)
    asked, present = exposure(action.exposure_ms, limits, setting)
    made = Autofocus(range_um, step_um, named, asked)
    count = whole(planes(made), "the number of planes", 1, limits.frames)
    around(range_um / 2, limits, setting)
    return Checked(made, count, lasting(count, 0.0, present, limits))


def _stack(action: Stack, limits: Limits, setting: Setting) -> Checked:
    count = whole(action.planes, "the number of planes", 1, limits.frames)
    step_um = positive(action.step_um, "the step")
    named = channel(action.channel, limits, setting)
    asked, present = exposure(action.exposure_ms, limits, setting)
    around((count - 1) / 2 * step_um, limits, setting)
    return Checked(Stack(count, step_um, named, asked), count, lasting(count, 0.0, present, limits))


def _set_preset(action: SetPreset, limits: Limits, setting: Setting) -> Checked:
    group, preset = words(action.group, "a group of presets"), words(action.preset, "a preset")
    allowed = limits.presets.get(group, frozenset())
    if preset not in allowed:
        raise RefusedError(
            f"found the preset {preset!r} of {group!r}, allowed are {listed(allowed)}: ask for one of these"
        )
    lights(preset, limits, setting)
    return Checked(SetPreset(group, preset))


def _set_exposure(action: SetExposure, limits: Limits, setting: Setting) -> Checked:
    return Checked(SetExposure(within(action.exposure_ms, limits.exposure_ms, "the exposure", "ms")))


def _set_power(action: SetPower, limits: Limits, setting: Setting) -> Checked:
    return Checked(SetPower(*power(action.light, action.power_mw, limits)))


def _set_interval(action: SetInterval, limits: Limits, setting: Setting) -> Checked:
    return Checked(SetInterval(interval(action.interval_s, limits, setting)))


def _burst(action: Burst, limits: Limits, setting: Setting) -> Checked:
    frames = whole(action.frames, "the number of frames", 1, limits.frames)
    interval_ms = at_most(action.interval_ms, limits.action_s * 1e3, "the interval", "ms", zero=True)
    named = channel(action.channel, limits, setting)
    asked, present = exposure(action.exposure_ms, limits, setting)
    return Checked(Burst(frames, interval_ms, named, asked), frames, lasting(frames, interval_ms, present, limits))


def _visit(action: Visit, limits: Limits, setting: Setting) -> Checked:
    told = action.places
    if type(told) is not tuple:
        raise RefusedError(f"found {shown(told)} as places, allowed is a tuple of (x_um, y_um): look at the rule")
    count = whole(len(told), "the number of places", 1, limits.frames)
    for each in told:
        if type(each) is not tuple or len(each) != 2:
            raise RefusedError(f"found {shown(each)} as a place, allowed is a pair (x_um, y_um): look at the rule")
    if type(action.stay) is not bool:
        raise RefusedError(f"found {shown(action.stay)} as stay, allowed are true and false: look at the rule")
    places = tuple(place(*each, limits) for each in told)
    way(places, limits, setting)
    named = channel(action.channel, limits, setting)
    asked, present = exposure(action.exposure_ms, limits, setting)
    return Checked(Visit(places, named, asked, action.stay), count, lasting(count, 0.0, present, limits))


def _project(action: Project, limits: Limits, setting: Setting) -> Checked:
    made = projected(action, limits, setting)
    duration_s(made.duration_ms / 1e3, limits)
    return Checked(made)


def _pulse(action: Pulse, limits: Limits, setting: Setting) -> Checked:
    line = words(action.line, "a line")
    most = limits.pulse_ms.get(line)
    if most is None:
        raise RefusedError(f"found the line {line!r}, allowed are {listed(limits.pulse_ms)}: ask for one of these")
    lit = setting.lines.get(line)
    if lit is not None and lit in setting.lights:
        power(lit, setting.lights[lit].power_mw, limits)
    duration_ms = at_most(action.duration_ms, most, f"the pulse of {line}", "ms")
    duration_s(duration_ms / 1e3, limits)
    return Checked(Pulse(line, duration_ms))


def _mark(action: Mark, limits: Limits, setting: Setting) -> Checked:
    return Checked(Mark(words(action.words, "words")))


def _notify(action: Notify, limits: Limits, setting: Setting) -> Checked:
    target = words(action.target, "a target")
    if target not in limits.targets:
        raise RefusedError(
            f"found the target {target!r}, allowed are {listed(limits.targets)}: name it among the targets"
        )
    return Checked(Notify(target, words(action.words, "words")))


def _pause(action: Pause, limits: Limits, setting: Setting) -> Checked:
    if action.duration_s is None:
        return Checked(Pause())
    return Checked(Pause(at_most(action.duration_s, LONGEST_PAUSE_S, "the pause", "s", zero=True)))


def _resume(action: Resume, limits: Limits, setting: Setting) -> Checked:
    lights(setting.channel, limits, setting)
    return Checked(Resume())


def _stop(action: Stop, limits: Limits, setting: Setting) -> Checked:
    return Checked(Stop(words(action.words, "words")))


CHECKS: Mapping[type[Action], Callable[[Any, Limits, Setting], Checked]] = MappingProxyType(
    {
        MoveStage: _move_stage,
        MoveFocus: _move_focus,
        Autofocus: _autofocus,
        SetPreset: _set_preset,
        SetExposure: _set_exposure,
        SetPower: _set_power,
        SetInterval: _set_interval,
        Burst: _burst,
        Stack: _stack,
        Visit: _visit,
        Project: _project,
        Pulse: _pulse,
        Mark: _mark,
        Notify: _notify,
        Pause: _pause,
        Resume: _resume,
        Stop: _stop,
    }
)
"""What is not here does not pass."""


def check(action: object, limits: Limits, setting: Setting) -> Checked:
    """An action made anew of plain values; raises RefusedError where it does not keep the limits."""
    for kind, judge in CHECKS.items():
        if type(action) is kind:  # by identity: a class may say that it equals another one
            return judge(action, limits, setting)
    known = ", ".join(kind.kind for kind in CHECKS)
    raise RefusedError(f"found {shown(action)}, allowed are actions of the known kinds: ask for one of {known}")
