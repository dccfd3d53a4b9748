"""What the limits allow, plainly and slowly: no shared code with the gate, one line per rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from onscope.runtime.feedback import Limits

SECOND = 1_000_000_000
NUMBERS = (int, float, *(np.dtype(code).type for code in "bhilBHILefd"))


def number(value: Any) -> bool:
    if not any(type(value) is each for each in NUMBERS):
        return False
    return abs(int(value)) <= 2**53 if isinstance(value, (int, np.integer)) else math.isfinite(value)


def integer(value: Any) -> bool:
    return number(value) and not isinstance(value, (float, np.floating))


def text(value: Any) -> bool:
    return type(value) is str and len(value) <= 4000 and "\0" not in value and value.isprintable()


def inside(value: Any, allowed: Any) -> bool:
    return allowed is not None and number(value) and allowed[0] <= float(value) and float(value) <= allowed[1]


def far(a: Any, b: Any) -> float:
    return float(np.hypot(float(a[0]) - float(b[0]), float(a[1]) - float(b[1])))


def camera(action: Any, frames: int, limits: Limits, setting: Any, interval_ms: float = 0.0) -> bool:
    """Channel, its lights, exposure, and how long it takes."""
    if action.channel is not None:
        named = text(action.channel)
        if not named or (
            action.channel != setting.channel
            and action.channel not in {one for each in limits.presets.values() for one in each}
        ):
            return False
    channel = setting.channel if action.channel is None else action.channel
    for name, light in setting.channels.get(channel, {}).items():
        if name not in limits.power_mw or light.power_mw > limits.power_mw[name]:
            return False
    if action.exposure_ms is not None and not inside(action.exposure_ms, limits.exposure_ms):
        return False
    exposure = setting.exposure_ms if action.exposure_ms is None else action.exposure_ms
    if not inside(exposure, limits.exposure_ms):
        return False
    return frames * max(float(exposure), interval_ms) / 1000 <= limits.action_s


def focus(ends: Any, limits: Limits, setting: Any) -> bool:
    return all(inside(end, limits.z_um) and abs(end - setting.z_um) <= limits.z_step_um for end in ends)


def move_stage(a: Any, limits: Limits, setting: Any) -> bool:
    there = inside(a.x_um, limits.x_um) and inside(a.y_um, limits.y_um)
    return there and far((a.x_um, a.y_um), (setting.x_um, setting.y_um)) <= limits.step_um


def move_focus(a: Any, limits: Limits, setting: Any) -> bool:
    return focus([a.z_um], limits, setting) if number(a.z_um) else False


def autofocus(a: Any, limits: Limits, setting: Any) -> bool:
    if not (number(a.range_um) and number(a.step_um) and a.range_um > 0 and a.step_um > 0):
        return False
    if float(a.range_um) / float(a.step_um) > limits.frames:
        return False
    count = 1
    while count * float(a.step_um) <= float(a.range_um) / 2 * (1 + 1e-12):
        count += 1
    count = 2 * count - 1
    half = float(a.range_um) / 2
    return (
        count <= limits.frames
        and focus([setting.z_um - half, setting.z_um + half], limits, setting)
        and camera(a, count, limits, setting)
    )


def stack(a: Any, limits: Limits, setting: Any) -> bool:
    if not (integer(a.planes) and 1 <= a.planes <= limits.frames and number(a.step_um) and a.step_um > 0):
        return False
    ends = [setting.z_um + (k - (int(a.planes) - 1) / 2) * float(a.step_um) for k in range(int(a.planes))]
    return focus(ends, limits, setting) and camera(a, int(a.planes), limits, setting)


def set_preset(a: Any, limits: Limits, setting: Any) -> bool:
    if not (text(a.group) and text(a.preset) and a.preset in limits.presets.get(a.group, ())):
        return False
    shining = setting.channels.get(a.preset, {}).items()
    return all(name in limits.power_mw and light.power_mw <= limits.power_mw[name] for name, light in shining)


def set_exposure(a: Any, limits: Limits, setting: Any) -> bool:
    return inside(a.exposure_ms, limits.exposure_ms)


def power(light: Any, mw: Any, limits: Limits) -> bool:
    return text(light) and light in limits.power_mw and number(mw) and 0 <= mw <= limits.power_mw[light]


def set_power(a: Any, limits: Limits, setting: Any) -> bool:
    return power(a.light, a.power_mw, limits)


def set_interval(a: Any, limits: Limits, setting: Any) -> bool:
    if not inside(a.interval_s, limits.interval_s):
        return False
    return max(float(a.interval_s), float(setting.exposure_ms or 0) / 1000) * limits.frames_per_s >= 1 - 1e-9


def burst(a: Any, limits: Limits, setting: Any) -> bool:
    if not (integer(a.frames) and 1 <= a.frames <= limits.frames and number(a.interval_ms) and a.interval_ms >= 0):
        return False
    return camera(a, int(a.frames), limits, setting, float(a.interval_ms))


def visit(a: Any, limits: Limits, setting: Any) -> bool:
    if type(a.places) is not tuple or not 1 <= len(a.places) <= limits.frames or type(a.stay) is not bool:
        return False
    here = setting.x_um, setting.y_um
    last = here
    for place in a.places:
        if type(place) is not tuple or len(place) != 2:
            return False
        if not (inside(place[0], limits.x_um) and inside(place[1], limits.y_um)):
            return False
        if far(place, last) > limits.step_um or far(place, here) > limits.step_um:
            return False
        last = place
    return camera(a, len(a.places), limits, setting)


def project(a: Any, limits: Limits, setting: Any) -> bool:
    if type(a.mask) is not np.ndarray or a.mask.dtype != np.uint8 or a.mask.ndim != 2 or a.mask.size == 0:
        return False
    numbers = (a.pixel_um, a.x_um, a.y_um, a.duration_ms)
    if not (all(map(number, numbers)) and a.pixel_um > 0 and 0 < a.duration_ms <= limits.project_ms and text(a.slm)):
        return False
    if not power(a.light, a.power_mw, limits) or max(a.mask.shape) * float(a.pixel_um) > 1e4:
        return False
    area = setting.lights[a.light].area_um2
    lit = sum(1 for value in a.mask.ravel().tolist() if value) * float(a.pixel_um) ** 2
    away = far((a.x_um, a.y_um), (setting.x_um, setting.y_um))
    return lit <= area * (1 + 1e-9) and away <= math.sqrt(area) * math.sqrt(2) / 2 * (1 + 1e-12)


def pulse(a: Any, limits: Limits, setting: Any) -> bool:
    known = text(a.line) and a.line in limits.pulse_ms and number(a.duration_ms)
    return known and 0 < a.duration_ms <= limits.pulse_ms[a.line]


def mark(a: Any, limits: Limits, setting: Any) -> bool:
    return text(a.words)


def notify(a: Any, limits: Limits, setting: Any) -> bool:
    return text(a.target) and a.target in limits.targets and text(a.words)


def pause(a: Any, limits: Limits, setting: Any) -> bool:
    return a.duration_s is None or inside(a.duration_s, (0, 7 * 24 * 3600))


def resume(a: Any, limits: Limits, setting: Any) -> bool:
    return True


stop = mark


def allowed(action: Any, limits: Limits, setting: Any) -> bool:
    """Whether the action by itself keeps the limits; its age and the rates are not looked at."""
    kind = type(action)
    if kind.__module__ != "onscope.runtime.feedback._actions":
        return False
    return bool(globals()[kind.kind](action, limits, setting))


def frames_at(action: Any, setting: Any, began_ns: int) -> list[int]:
    """When the frames of an action that passed are taken, ns."""
    exposure = float(getattr(action, "exposure_ms", None) or setting.exposure_ms or 0)
    if action.kind == "burst":
        count, period = action.frames, max(action.interval_ms, exposure)
    elif action.kind == "stack":
        count, period = action.planes, exposure
    elif action.kind == "visit":
        count, period = len(action.places), exposure
    elif action.kind == "autofocus":
        count, period = 2 * int(action.range_um / 2 / action.step_um + 1e-9) + 1, exposure
    else:
        return []
    return [began_ns + int(k * period * 1e6) for k in range(count)]
