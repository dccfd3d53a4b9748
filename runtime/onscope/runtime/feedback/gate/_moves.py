"""Moves: within the ranges, and not too far at once."""

from __future__ import annotations

import math
from typing import Any

from .._controller import Setting
from .._limits import Limits
from ._values import RefusedError, known, within

Place = tuple[float, float]


def place(x_um: Any, y_um: Any, limits: Limits) -> Place:
    """A place that the stage may go to."""
    return within(x_um, limits.x_um, "x", "um"), within(y_um, limits.y_um, "y", "um")


def way(places: tuple[Place, ...], limits: Limits, setting: Setting) -> None:
    """The stage's way over places: none may be too far from where it stands (and comes back to), nor from the one
    before.
    """
    if limits.step_um == math.inf:
        return
    x, y = known(setting.x_um), known(setting.y_um)
    if x is None or y is None:
        raise RefusedError(
            f"found no place known of the stage, allowed are moves of at most {limits.step_um:g} um: home the stage"
        )
    last = x, y
    for to in places:
        _step(max(math.dist(last, to), math.dist((x, y), to)), limits.step_um, "the stage")
        last = to


def focus_step(to_um: float, limits: Limits, setting: Setting) -> None:
    """The way of the focus from where it stands."""
    if limits.z_step_um == math.inf:
        return
    z = known(setting.z_um)
    if z is None:
        raise RefusedError(
            f"found no place known of the focus, allowed are moves of at most {limits.z_step_um:g} um: home the focus"
        )
    _step(abs(to_um - z), limits.z_step_um, "the focus")


def _step(way_um: float, most_um: float, what: str) -> None:
    if not way_um <= most_um:
        raise RefusedError(
            f"found a move of {what} by {way_um:g} um, allowed are {most_um:g} um at once: go in smaller steps"
        )


def around(half_um: float, limits: Limits, setting: Setting) -> None:
    """Planes up to so far below and above the present focus, which has to be known."""
    z = known(setting.z_um)
    if z is None:
        raise RefusedError("found no place known of the focus, allowed are planes around a known one: home the focus")
    for end in (z - half_um, z + half_um):
        within(end, limits.z_um, "the focus at the end of the planes", "um")
        focus_step(end, limits, setting)
