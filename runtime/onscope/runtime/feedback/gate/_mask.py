"""Masks of light: how large, where, with which light and for how long."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .._actions import Project
from .._controller import Light, Setting
from .._limits import Limits
from ._imaging import power
from ._values import RefusedError, at_most, known, number, positive, shown, words

MOST_PIXELS = 2**24
WIDEST_UM = 1e4
"""A mask wider than a centimetre is no field of a microscope."""


def projected(action: Project, limits: Limits, setting: Setting) -> Project:
    """A projection that keeps the limits, with a mask of its own that nobody can write to any more."""
    pixel_um = positive(action.pixel_um, "the size of a pixel")
    mask = _mask(action.mask, pixel_um)
    x_um, y_um = number(action.x_um, "x"), number(action.y_um, "y")
    light, power_mw = power(action.light, action.power_mw, limits)
    duration_ms = at_most(action.duration_ms, limits.project_ms, "the projection", "ms")
    slm = words(action.slm, "a light modulator")
    _reached(mask, pixel_um, (x_um, y_um), setting.lights.get(light), setting)
    return Project(mask, pixel_um, x_um, y_um, light, power_mw, duration_ms, slm)


def _mask(mask: Any, pixel_um: float) -> npt.NDArray[np.uint8]:
    if type(mask) is not np.ndarray:
        raise RefusedError(f"found {shown(mask)} as a mask, allowed is an array of uint8: look at the rule")
    if mask.dtype != np.uint8 or mask.ndim != 2 or not 1 <= mask.size <= MOST_PIXELS:
        raise RefusedError(
            f"found a mask of {mask.dtype} with the shape {mask.shape}, allowed are uint8, two axes and up to "
            f"{MOST_PIXELS} pixels: look at the rule"
        )
    wide_um = max(mask.shape) * pixel_um
    if not wide_um <= WIDEST_UM:
        raise RefusedError(
            f"found a mask {wide_um:g} um wide, allowed are {WIDEST_UM:g} um: tell the pixels' size in micrometres"
        )
    own = np.array(mask, dtype=np.uint8, order="C")
    own.flags.writeable = False
    return own


def _reached(
    mask: npt.NDArray[np.uint8], pixel_um: float, middle: tuple[float, float], light: Light | None, setting: Setting
) -> None:
    """The light has to get there from where the stage stands, and to be as wide as what it shall light."""
    if light is not None:
        reach_um = math.sqrt(max(light.area_um2, 0.0) / 2)
        lit_um2 = float(np.count_nonzero(mask)) * pixel_um**2
        if not lit_um2 <= light.area_um2 * (1 + 1e-9):
            raise RefusedError(
                f"found {lit_um2:g} um2 to be lit, allowed are the {light.area_um2:g} um2 of the light: light fewer "
                "objects"
            )
    elif setting.shape is not None and setting.pixel_um is not None:
        reach_um = math.hypot(*setting.shape) * setting.pixel_um / 2
    else:
        return
    x, y = known(setting.x_um), known(setting.y_um)
    if x is None or y is None:
        return
    away_um = math.dist((x, y), middle)
    if not away_um <= reach_um:
        raise RefusedError(
            f"found a mask {away_um:g} um from where the stage stands, allowed are {reach_um:g} um, as far as its "
            "light reaches: move there first"
        )
