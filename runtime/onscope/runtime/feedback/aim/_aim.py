"""Wishes become actions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..._errors import RuleError
from ..._frame import Frame
from ..._result import Result
from .._actions import Action, MoveFocus, MoveStage, Project, SetExposure, SetPower, Visit
from .._controller import Setting
from .._proposal import Proposal
from .._wishes import GoTo, Illuminate, Recentre, Refocus, ScaleExposure, ScalePower, Target, Tiles, Wish
from ._mask import lit
from ._place import FramePlace
from ._scaled import factor
from ._settings import STRAIGHT, AimSettings

MOST_TILES = 10_000


def aim(
    proposal: Proposal, result: Result | None, frame: Frame, setting: Setting, settings: AimSettings = STRAIGHT
) -> Action:
    """The action that a proposal asks for.

    `frame` is the one that the proposal was made of, `result` its result (needed for light on objects alone),
    `setting` how the microscope stood when it was taken: where the stage was by then counts, not where it is now, so
    that two frames from before a move ask for the same move. Raises RuleError with the sentence of a refusal: what is
    not known, or that there is nothing to do. Called in the process that owns the microscope.
    """
    asked = proposal.asked
    if isinstance(asked, Action):
        return asked
    make = _MAKERS.get(type(asked))
    if make is None:
        raise RuleError(f"found {type(asked).__name__}, expected an action or a wish: ask for one of them")
    return make(asked, _Known(proposal, result, frame, setting, settings))


class _Known:
    """What is known of a proposal when it is aimed."""

    def __init__(
        self, proposal: Proposal, result: Result | None, frame: Frame, setting: Setting, settings: AimSettings
    ) -> None:
        self.proposal, self.result, self.frame, self.setting, self.settings = proposal, result, frame, setting, settings

    @property
    def place(self) -> FramePlace:
        return FramePlace.of(self.frame, self.setting, self.settings)

    @property
    def target(self) -> Target:
        if self.proposal.target is None:
            raise RuleError(f"found {self.proposal.asked.kind} without an object, expected one: give the rule `each:`")
        return self.proposal.target

    @property
    def channel(self) -> str | None:
        return self.frame.labels.get("c", self.setting.channel)


def _recentre(wish: Recentre, known: _Known) -> Action:
    if not (0 < wish.damping <= 1 and wish.deadband_um >= 0):
        raise RuleError(
            f"found damping {wish.damping} and a deadband of {wish.deadband_um} um, expected above 0 to 1, and from 0"
        )
    place, target = known.place, known.target
    dx_um, dy_um = place.from_middle(target.y, target.x)
    away = math.hypot(dx_um, dy_um)
    if away <= wish.deadband_um:
        raise RuleError(
            f"the object is {away:.2f} um from the middle, within the deadband of {wish.deadband_um:g} um: it stays"
        )
    return MoveStage(place.x_um + wish.damping * dx_um, place.y_um + wish.damping * dy_um)


def _go_to(wish: GoTo, known: _Known) -> Action:
    place, target = known.place, known.target
    dx_um, dy_um = place.from_middle(target.y, target.x)
    return MoveStage(place.x_um + dx_um + wish.dx_um, place.y_um + dy_um + wish.dy_um)


def _refocus(wish: Refocus, known: _Known) -> Action:
    told = known.frame.stage_um[2] if known.frame.stage_um is not None else None
    # Some drivers tell x and y alone, with a z of 0: where the focus was commanded to is the better word then.
    z_um = known.setting.z_um if known.setting.z_um is not None and not told else told
    if z_um is None or not math.isfinite(z_um):
        raise RuleError(f"found a focus at {z_um} um, expected where it was: read the focus drive")
    if not math.isfinite(wish.dz_um):
        raise RuleError(f"found a change of focus of {wish.dz_um} um, expected a finite number")
    return MoveFocus(z_um + wish.dz_um)


def _scale_exposure(wish: ScaleExposure, known: _Known) -> Action:
    exposure_ms = known.frame.exposure_ms if known.frame.exposure_ms is not None else known.setting.exposure_ms
    if exposure_ms is None:
        raise RuleError("found a frame whose exposure is not known, expected milliseconds: set an exposure once")
    return SetExposure(exposure_ms * factor(wish))


def _scale_power(wish: ScalePower, known: _Known) -> Action:
    lights = known.setting.channels.get(known.channel or "", {})
    if wish.light not in lights:
        raise RuleError(
            f"found no light {wish.light!r} in the channel {known.channel!r}, expected one of "
            f"{', '.join(lights) or 'none'}: name one that shines while frames are exposed"
        )
    return SetPower(wish.light, lights[wish.light].power_mw * factor(wish))


def _illuminate(wish: Illuminate, known: _Known) -> Action:
    target = known.target
    if known.result is None or wish.labels not in known.result.answers:
        raise RuleError(
            f"found no answer of the stage {wish.labels!r}, expected its label image: run it on every frame"
        )
    labels = known.result.answers[wish.labels]
    place = known.place
    pixel_um = place.pixel_um / known.result.scales.get(wish.labels, 1.0)
    mask = lit(labels, target.values.get("labels", (target.label,)), wish.grow_um / pixel_um)
    x_um, y_um = place.middle
    turned = known.settings.turned(mask)
    turned.flags.writeable = False
    return Project(turned, pixel_um, x_um, y_um, wish.light, wish.power_mw, wish.duration_ms, wish.slm)


def _tiles(wish: Tiles, known: _Known) -> Action:
    count = wish.rows * wish.columns
    if not (1 <= count <= MOST_TILES and wish.rows > 0 and 0 <= wish.overlap < 1):
        raise RuleError(
            f"found {wish.rows} x {wish.columns} tiles that overlap by {wish.overlap}, expected 1 to {MOST_TILES}, "
            "and 0 to below 1"
        )
    place, target = known.place, known.proposal.target
    dx_um, dy_um = (0.0, 0.0) if target is None else place.from_middle(target.y, target.x)
    x_um, y_um = place.x_um + dx_um, place.y_um + dy_um
    step_y, step_x = (size * (1 - wish.overlap) for size in place.shape)
    places = []
    for row in range(wish.rows):
        # To and fro: the stage goes one tile at a time.
        columns = range(wish.columns) if row % 2 == 0 else range(wish.columns - 1, -1, -1)
        for column in columns:
            rows_off, columns_off = (row - (wish.rows - 1) / 2) * step_y, (column - (wish.columns - 1) / 2) * step_x
            to_x, to_y = known.settings.on_stage(rows_off, columns_off, place.pixel_um)
            places.append((x_um + to_x, y_um + to_y))
    return Visit(tuple(places), wish.channel, wish.exposure_ms)


_MAKERS: Mapping[type[Wish], Callable[[Any, _Known], Action]] = {
    Recentre: _recentre,
    GoTo: _go_to,
    Refocus: _refocus,
    ScaleExposure: _scale_exposure,
    ScalePower: _scale_power,
    Illuminate: _illuminate,
    Tiles: _tiles,
}
