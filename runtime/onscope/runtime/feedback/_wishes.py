"""Wishes: what rules ask for relative to an object, or to how the microscope stands.

`aim` makes actions of them, in the process that owns the microscope, where the frame's pixels, its place and what was
commanded last are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from ._actions import Action


@dataclass(frozen=True, slots=True)
class Wish:
    """Base of all wishes. `kind` is its word in rule files and journals."""

    kind: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Recentre(Wish):
    """The object comes to the frame's middle: the stage goes `damping` (0 to 1) of the way, from where it was commanded
    when the frame was taken, unless the object is less than `deadband_um` away from the middle.
    """

    kind = "recentre"
    damping: float = 0.7
    deadband_um: float = 1.0


@dataclass(frozen=True, slots=True)
class GoTo(Wish):
    """The stage goes to the object, or (`dx_um`, `dy_um`) beside it."""

    kind = "go_to"
    dx_um: float = 0.0
    dy_um: float = 0.0


@dataclass(frozen=True, slots=True)
class Refocus(Wish):
    """The focus goes by `dz_um`, from where it was commanded when the frame was taken."""

    kind = "refocus"
    dz_um: float


@dataclass(frozen=True, slots=True)
class ScaleExposure(Wish):
    """The exposure times what brings `value` to `target`, by `damping` of the logarithm of the way and at most a factor
    of `most` at once: the signal, say.
    """

    kind = "scale_exposure"
    value: float
    target: float
    damping: float = 0.5
    most: float = 2.0


@dataclass(frozen=True, slots=True)
class ScalePower(Wish):
    """The same with the power of a light."""

    kind = "scale_power"
    light: str
    value: float
    target: float
    damping: float = 0.5
    most: float = 2.0


@dataclass(frozen=True, slots=True)
class Illuminate(Wish):
    """Light on the pixels of the objects of this proposal, `grow_um` wider (negative: narrower), through an SLM.

    `labels` is the stage whose label image they are numbered in.
    """

    kind = "illuminate"
    labels: str
    light: str
    power_mw: float
    duration_ms: float
    grow_um: float = 0.0
    slm: str = ""


@dataclass(frozen=True, slots=True)
class Tiles(Wish):
    """A frame at each of `rows` x `columns` places around the object (no object: around the frame's middle), which
    overlap by `overlap` (0 to below 1) of a frame; then back.
    """

    kind = "tiles"
    rows: int
    columns: int
    overlap: float = 0.1
    channel: str | None = None
    exposure_ms: float | None = None


WISHES: Mapping[str, type[Wish]] = MappingProxyType(
    {one.kind: one for one in (Recentre, GoTo, Refocus, ScaleExposure, ScalePower, Illuminate, Tiles)}
)
"""All kinds of wishes by their word."""
Asked = Action | Wish
"""What a rule may ask for."""


@dataclass(frozen=True, slots=True)
class Target:
    """The object that something is asked for: its row's `label` in the frame, its track (0: none), and where it is, in
    pixels of the raw frame (y, x)."""

    label: int
    track: int
    y: float
    x: float
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
