"""Which light an action or a frame brings to which part of the sample.

Dose is energy over area: power times time, over the area that the power is spread over. In the units of microscopes
1 mW x 1 ms = 1e-6 J and 1 um2 = 1e-8 cm2, so that 1 mW ms / um2 = 100 J/cm2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._frame import Frame
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
from .._controller import Light, Setting
from .._planes import planes

J_CM2 = 100.0
"""J/cm2 of one mW ms / um2."""
WIDEST_UM = 1e5
"""A field wider than a decimetre is a calibration in other units."""


class LightUnknownError(ValueError):
    """How much light it brings cannot be told; the words say what has to be calibrated."""


@dataclass(frozen=True, slots=True)
class Square:
    """An evenly lit square around (`x_um`, `y_um`) of the stage: a field of view, by its area."""

    x_um: float
    y_um: float
    side_um: float
    j_cm2: float

    @property
    def joules(self) -> float:
        return self.j_cm2 * self.side_um**2 * 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Lit pixels: `lit` (y, x; bool), `pixel_um` wide, their middle at (`x_um`, `y_um`) of the stage; each as much."""

    lit: npt.NDArray[np.bool_]
    pixel_um: float
    x_um: float
    y_um: float
    j_cm2: float

    @property
    def joules(self) -> float:
        return self.j_cm2 * float(np.count_nonzero(self.lit)) * self.pixel_um**2 * 1e-8


Lit = Square | Pattern
Parts = tuple[Lit, ...]


def dose_j_cm2(power_mw: float, time_ms: float, area_um2: float) -> float:
    """Light dose in J/cm2 of a power at the sample, for a time, over an area."""
    return J_CM2 * power_mw * time_ms / area_um2


def light_of(action: Action, setting: Setting) -> Parts:
    """What an action lights, with the microscope as in `setting`; raises LightUnknownError where nobody can tell."""
    return ENERGY[type(action)](action, setting)


def light_of_frame(frame: Frame, setting: Setting) -> Parts:
    """What a routine frame lit: by its own exposure, place and channel where it tells them, else those of `setting`."""
    exposure = setting.exposure_ms if frame.exposure_ms is None else frame.exposure_ms
    named = frame.labels.get("c")
    channel = named if named in setting.channels else setting.channel
    x, y = (setting.x_um, setting.y_um) if frame.stage_um is None else frame.stage_um[:2]
    return _imaged(setting, channel, exposure, 1, ((x, y),))


def routine_light(setting: Setting) -> Parts:
    """What the next routine frame will light, as the microscope stands."""
    return _imaged(setting, setting.channel, setting.exposure_ms, 1, ((setting.x_um, setting.y_um),))


def _imaged(
    setting: Setting,
    channel: str | None,
    exposure_ms: float | None,
    frames: int,
    places: tuple[tuple[float | None, float | None], ...],
) -> Parts:
    if channel is None or channel not in setting.channels:
        raise LightUnknownError(
            f"found no lights of the channel {channel!r}, expected one of {', '.join(setting.channels) or 'none known'}"
            ": calibrate the power of its lights"
        )
    if exposure_ms is None:
        raise LightUnknownError("found no exposure known of the camera, expected one in ms: set it before")
    by_area: dict[float, float] = {}
    for name, light in setting.channels[channel].items():
        dose = _dose(name, light.power_mw, exposure_ms * frames, light.area_um2)
        by_area[light.area_um2] = by_area.get(light.area_um2, 0.0) + dose
    return tuple(
        Square(_place(x), _place(y), math.sqrt(area), dose) for x, y in places for area, dose in by_area.items() if dose
    )


def _dose(name: str, power_mw: float, time_ms: float, area_um2: float) -> float:
    if not 0.0 < area_um2 <= WIDEST_UM**2:
        raise LightUnknownError(
            f"found an illuminated area of {area_um2} um2 for {name}, expected one above 0 and of at most "
            f"{WIDEST_UM**2:.0e}: calibrate it"
        )
    dose = dose_j_cm2(power_mw, time_ms, area_um2)
    if not 0.0 <= dose < math.inf:
        raise LightUnknownError(
            f"found {power_mw} mW of {name} for {time_ms} ms, expected finite numbers from 0 on: calibrate it"
        )
    return dose


def _place(at: float | None) -> float:
    if at is None:  # a microscope without an XY stage looks at one place
        return 0.0
    if not math.isfinite(at):
        raise LightUnknownError(f"found the stage at {at} um, expected a finite place: home the stage")
    return at


def _here(action: Burst | Stack | Autofocus, setting: Setting) -> Parts:
    frames = action.frames if isinstance(action, Burst) else planes(action)
    return _there(action, setting, frames, ((setting.x_um, setting.y_um),))


def _there(action: Any, setting: Setting, frames: int, places: tuple[tuple[float | None, float | None], ...]) -> Parts:
    channel = setting.channel if action.channel is None else action.channel
    exposure = setting.exposure_ms if action.exposure_ms is None else action.exposure_ms
    return _imaged(setting, channel, exposure, frames, places)


def _visited(action: Visit, setting: Setting) -> Parts:
    return _there(action, setting, 1, action.places)


def _projected(action: Project, setting: Setting) -> Parts:
    """A mirror device lets through what falls on its lit pixels; where the area of the light is not known, all of its
    power is taken to be on them, as of a hologram.
    """
    lit = action.mask != 0
    pixels = int(np.count_nonzero(lit))
    if not pixels:
        return ()
    own = pixels * action.pixel_um**2
    light = setting.lights.get(action.light)
    dose = _dose(action.light, action.power_mw, action.duration_ms, own if light is None else light.area_um2)
    return (Pattern(lit, action.pixel_um, _place(action.x_um), _place(action.y_um), dose),)


def _pulsed(action: Pulse, setting: Setting) -> Parts:
    name = setting.lines.get(action.line)
    if name is None:  # a line without a light behind it
        return ()
    light: Light | None = setting.lights.get(name)
    if light is None:
        raise LightUnknownError(f"found no power of {name}, which {action.line} lets through: calibrate this light")
    dose = _dose(name, light.power_mw, action.duration_ms, light.area_um2)
    return (Square(_place(setting.x_um), _place(setting.y_um), math.sqrt(light.area_um2), dose),)


def _dark(action: Action, setting: Setting) -> Parts:
    return ()


ENERGY: Mapping[type[Action], Callable[[Any, Setting], Parts]] = MappingProxyType(
    {
        **dict.fromkeys((Burst, Stack, Autofocus), _here),
        Visit: _visited,
        Project: _projected,
        Pulse: _pulsed,
        **dict.fromkeys((MoveStage, MoveFocus, SetPreset, SetExposure, SetPower, SetInterval), _dark),
        **dict.fromkeys((Mark, Notify, Pause, Resume, Stop), _dark),
    }
)
"""The light of every kind of action; those that bring none say so. What they change counts with the next frames."""
