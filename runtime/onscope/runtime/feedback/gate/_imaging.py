"""What actions with images ask for: channel, its lights, exposure, time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .._actions import Action
from .._controller import Setting
from .._limits import Limits
from ._values import RefusedError, at_most, known, listed, within, words


@dataclass(frozen=True, slots=True)
class Checked:
    """An action that keeps the limits, made anew of plain values; `frames` that it takes, `period_ms` apart (0: as fast
    as the camera can).
    """

    action: Action
    frames: int = 0
    period_ms: float = 0.0


def channel(value: Any, limits: Limits, setting: Setting) -> str | None:
    """The channel of an action, which may be the present one (None); its lights keep their limits."""
    name = None if value is None else words(value, "a channel")
    if name is not None and name != setting.channel and not any(name in each for each in limits.presets.values()):
        raise RefusedError(
            f"found the channel {name!r}, allowed are {listed(frozenset().union(*limits.presets.values()))}: ask for "
            "one of these"
        )
    lights(setting.channel if name is None else name, limits, setting)
    return name


def lights(channel: str | None, limits: Limits, setting: Setting) -> None:
    """The lights of a channel as they are set."""
    for name, light in setting.channels.get(channel or "", {}).items():
        power(name, light.power_mw, limits)


def power(light: Any, power_mw: Any, limits: Limits) -> tuple[str, float]:
    """A light and its power at the sample."""
    name = words(light, "a light")
    most = limits.power_mw.get(name)
    if most is None:
        raise RefusedError(f"found the light {name!r}, allowed are {listed(limits.power_mw)}: ask for one of these")
    return name, at_most(power_mw, most, f"the power of {name}", "mW", zero=True)


def exposure(value: Any, limits: Limits, setting: Setting) -> tuple[float | None, float | None]:
    """The exposure of an action as asked for, and as it will be (None: not known)."""
    if value is not None:
        asked = within(value, limits.exposure_ms, "the exposure", "ms")
        return asked, asked
    present = known(setting.exposure_ms)
    if present is not None and limits.exposure_ms is not None:
        within(present, limits.exposure_ms, "the present exposure", "ms")
    return None, present


def lasting(frames: int, interval_ms: float, exposure_ms: float | None, limits: Limits) -> float:
    """Milliseconds from frame to frame; all of them together may take as long as an action may."""
    period_ms = max(interval_ms, exposure_ms or 0.0)
    duration_s(frames * period_ms / 1e3, limits)
    return period_ms


def duration_s(value: float, limits: Limits) -> None:
    """How long an action takes."""
    if not value <= limits.action_s:
        raise RefusedError(
            f"found an action of {value:g} s, allowed are {limits.action_s:g} s: ask for less at once, and again"
        )


def interval(value: Any, limits: Limits, setting: Setting) -> float:
    """Between routine frames; no more of them in a second than are allowed."""
    asked = within(value, limits.interval_s, "the interval", "s")
    if limits.frames_per_s < math.inf:
        shortest_s = max(asked, (known(setting.exposure_ms) or 0.0) / 1e3)
        if not shortest_s * limits.frames_per_s >= 1 - 1e-9:
            raise RefusedError(
                f"found an interval of {asked:g} s, allowed are {limits.frames_per_s:g} frames per second: ask for a "
                "longer one"
            )
    return asked
