"""Exposures to come, as plain values: of the routine, and of the actions that come between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from onscope.runtime.feedback import Action, Autofocus, Burst, Stack, Visit, offsets_um

Channel = tuple[str, str]
"""A configuration group and one of its presets."""
Exposing = Burst | Stack | Visit | Autofocus
"""Actions that are series of exposures."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One exposure. None: as the microscope stands, or no such axis.

    `position` is the name of its place, `p`, `t`, `c` and `z` where it stands among the others; `properties` (device,
    property, value) are set after its channel; `origin` is the event of the user's own sequence that it was made of.
    """

    x_um: float | None = None
    y_um: float | None = None
    z_um: float | None = None
    channel: Channel | None = None
    exposure_ms: float | None = None
    position: str | None = None
    p: int | None = None
    t: int | None = None
    c: int | None = None
    z: int | None = None
    properties: tuple[tuple[str, str, float], ...] = ()
    origin: Any = None


@dataclass(frozen=True, slots=True)
class Series:
    """Exposures that are taken one after the other, nothing between them.

    `number` and `kind` are the action's (0 and "routine": a frame of the routine); `interval_ms` from one to the next;
    `together`: they may run as one sequence of the hardware; `back_um`, `back_z_um`: where stage and focus go
    afterwards.
    """

    number: int
    kind: str
    shots: tuple[Shot, ...]
    interval_ms: float = 0.0
    together: bool = False
    back_um: tuple[float, float] | None = None
    back_z_um: float | None = None
    action: Action | None = None

    def lifted(self, by_um: float) -> Series:
        """The same with all planes `by_um` higher: the focus has moved since it was asked for."""
        if not by_um:
            return self
        return replace(
            self,
            back_z_um=None if self.back_z_um is None else self.back_z_um + by_um,
            shots=tuple(one if one.z_um is None else replace(one, z_um=one.z_um + by_um) for one in self.shots),
        )


def series_of(action: Exposing, number: int, here: Shot, place: int) -> Series:
    """The series of an action, asked for while the microscope stands as `here`; its places are numbered from `place`.

    Raises ValueError when it has no frames, or planes where there is no focus to move.
    """
    kind, name = action.kind, f"{action.kind} {number}"
    base = replace(here, position=name, p=place, t=0, z=None, origin=None)
    if action.exposure_ms is not None:
        base = replace(base, exposure_ms=action.exposure_ms)
    if isinstance(action, Burst):
        if action.frames < 1:
            raise ValueError(f"found a burst of {action.frames} frames, expected at least one")
        shots = tuple(replace(base, t=t) for t in range(action.frames))
        return Series(number, kind, shots, action.interval_ms, action.interval_ms <= 0, action=action)
    if isinstance(action, Visit):
        if not action.places:
            raise ValueError("found a visit of no places, expected at least one")
        shots = tuple(
            replace(base, x_um=x, y_um=y, position=f"{name} tile {tile}", p=place + tile)
            for tile, (x, y) in enumerate(action.places)
        )
        back = None if action.stay or here.x_um is None or here.y_um is None else (here.x_um, here.y_um)
        return Series(number, kind, shots, back_um=back, action=action)
    offsets = offsets_um(action)
    if here.z_um is None and any(offsets):
        raise ValueError("found no focus drive, expected one to take planes with")
    middle = here.z_um or 0.0
    shots = tuple(
        replace(base, z=z, z_um=None if here.z_um is None else middle + offset) for z, offset in enumerate(offsets)
    )
    back_z_um = here.z_um if isinstance(action, Stack) else None  # an autofocus stays where it is sharp
    return Series(number, kind, shots, together=True, back_z_um=back_z_um, action=action)


def filled(shot: Shot, standing: Shot) -> Shot:
    """What a shot leaves open, as the microscope stands: every event says all of it, so that all come back."""
    return replace(
        shot,
        x_um=standing.x_um if shot.x_um is None else shot.x_um,
        y_um=standing.y_um if shot.y_um is None else shot.y_um,
        z_um=standing.z_um if shot.z_um is None else shot.z_um,
        channel=standing.channel if shot.channel is None else shot.channel,
        exposure_ms=standing.exposure_ms if shot.exposure_ms is None else shot.exposure_ms,
    )


def far(shot: Shot, x_um: float, y_um: float) -> float:
    """The square of how far it is from there, in um2; infinite where it says no place."""
    if shot.x_um is None or shot.y_um is None:
        return float("inf")
    return (shot.x_um - x_um) ** 2 + (shot.y_um - y_um) ** 2
