"""Actions looked at before they come to stand in a queue, and series as a command tells them."""

from __future__ import annotations

import math
from dataclasses import fields

from onscope.runtime import ControlError
from onscope.runtime.feedback import Action, Limits, MoveFocus, MoveStage, Range

from ._shots import Series


def told(series: Series) -> dict[str, object]:
    first = series.shots[0]
    channel = None if first.channel is None else first.channel[1]
    return {
        "kind": series.kind,
        "number": series.number,
        "frames": len(series.shots),
        "x_um": first.x_um,
        "y_um": first.y_um,
        "z_um": first.z_um,
        "channel": channel,
        "exposure_ms": first.exposure_ms,
    }


def check(action: Action, limits: Limits) -> None:
    """The gate has checked it all; this is for numbers that would end the acquisition's engine."""
    for one in fields(action):
        value = getattr(action, one.name)
        numbers = [each for place in value for each in place] if one.name == "places" else [value]
        if any(isinstance(each, float) and not math.isfinite(each) for each in numbers):
            raise ControlError(
                f"found {one.name} = {value} in {action.kind}, expected finite numbers: correct the rule"
            )
    exposure_ms = getattr(action, "exposure_ms", None)
    if exposure_ms is not None and not exposure_ms > 0:
        raise ControlError(f"found an exposure of {exposure_ms} ms, expected more than 0: correct the rule")
    interval_s = getattr(action, "interval_s", 0.0)
    if interval_s < 0:
        raise ControlError(f"found an interval of {interval_s} s, expected at least 0: correct the rule")
    if isinstance(action, MoveStage):
        _within("x", action.x_um, limits.x_um)
        _within("y", action.y_um, limits.y_um)
    elif isinstance(action, MoveFocus):
        _within("z", action.z_um, limits.z_um)


def check_places(series: Series, limits: Limits) -> None:
    """Raises ControlError where an action leads beyond the stages: the engine would end the acquisition."""
    for one in series.shots:
        _within("x", one.x_um, limits.x_um)
        _within("y", one.y_um, limits.y_um)
        _within("z", one.z_um, limits.z_um)


def _within(axis: str, place_um: float | None, range_um: Range | None) -> None:
    if place_um is not None and range_um is not None and not range_um[0] <= place_um <= range_um[1]:
        raise ControlError(
            f"found {axis} = {place_um} um, expected {range_um[0]:g} to {range_um[1]:g} um, where the stage can go: "
            "correct the rule, or the limits"
        )
