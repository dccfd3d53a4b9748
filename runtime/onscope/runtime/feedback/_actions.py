"""Actions: what a microscope can be told to do, as frozen values; every one of them passes the gate first.

Places are absolute, in micrometres of the stage; what is relative to an object or to the present is a wish
(`_wishes`), and becomes an action where the frame that it was made of is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Action:
    """Base of all actions. `kind` is its word in rule files and journals."""

    kind: ClassVar[str] = ""

    def described(self) -> dict[str, Any]:
        """It as plain values that JSON can hold, its kind first; arrays as their shape and number of lit pixels."""
        values = {one.name: _plain(getattr(self, one.name)) for one in fields(self)}
        return {"kind": self.kind, **values}


@dataclass(frozen=True, slots=True)
class MoveStage(Action):
    """The XY stage goes to (`x_um`, `y_um`)."""

    kind = "move_stage"
    x_um: float
    y_um: float


@dataclass(frozen=True, slots=True)
class MoveFocus(Action):
    """The focus goes to `z_um`."""

    kind = "move_focus"
    z_um: float


@dataclass(frozen=True, slots=True)
class Autofocus(Action):
    """Images within `range_um` around the present focus, `step_um` apart; the focus stays where they are sharpest.

    `channel`, `exposure_ms`: of these images (None: as now).
    """

    kind = "autofocus"
    range_um: float
    step_um: float
    channel: str | None = None
    exposure_ms: float | None = None


@dataclass(frozen=True, slots=True)
class SetPreset(Action):
    """A preset of one of Micro-Manager's configuration groups: a channel, an objective, a camera's mode."""

    kind = "set_preset"
    group: str
    preset: str


@dataclass(frozen=True, slots=True)
class SetExposure(Action):
    """The camera's exposure in milliseconds, from the next frame on."""

    kind = "set_exposure"
    exposure_ms: float


@dataclass(frozen=True, slots=True)
class SetPower(Action):
    """The power of a light in milliwatts at the sample."""

    kind = "set_power"
    light: str
    power_mw: float


@dataclass(frozen=True, slots=True)
class SetInterval(Action):
    """Seconds from one routine frame (or round of frames) to the next; 0: as fast as the camera can."""

    kind = "set_interval"
    interval_s: float


@dataclass(frozen=True, slots=True)
class Burst(Action):
    """So many frames here, `interval_ms` from one to the next (0: at the camera's rate)."""

    kind = "burst"
    frames: int
    interval_ms: float = 0.0
    channel: str | None = None
    exposure_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Stack(Action):
    """`planes` frames, `step_um` apart, around the present focus, which is come back to."""

    kind = "stack"
    planes: int
    step_um: float
    channel: str | None = None
    exposure_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Visit(Action):
    """A frame at each of `places` ((x_um, y_um), ...), in this order; then back to where the stage was, unless `stay`.

    Tiles around a place and scans over a plate are visits.
    """

    kind = "visit"
    places: tuple[tuple[float, float], ...]
    channel: str | None = None
    exposure_ms: float | None = None
    stay: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Project(Action):
    """Light through a mask: `mask` (y, x; uint8, 0 dark) in pixels of the sample, `pixel_um` wide, whose middle lies at
    (`x_um`, `y_um`) of the stage; for `duration_ms`, with `light` at `power_mw`. `slm`: which one.
    """

    kind = "project"
    mask: npt.NDArray[np.uint8]
    pixel_um: float
    x_um: float
    y_um: float
    light: str
    power_mw: float
    duration_ms: float
    slm: str = ""


@dataclass(frozen=True, slots=True)
class Pulse(Action):
    """A line (a shutter, a TTL output, by its name in the limits) is on for `duration_ms`."""

    kind = "pulse"
    line: str
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Mark(Action):
    """Nothing but an entry in the journal."""

    kind = "mark"
    words: str


@dataclass(frozen=True, slots=True)
class Notify(Action):
    """Words for someone: by POST to a webhook, or as the last argument of a command, which the limits name `target`."""

    kind = "notify"
    target: str
    words: str


@dataclass(frozen=True, slots=True)
class Pause(Action):
    """No routine frames for so many seconds (None: until `Resume`)."""

    kind = "pause"
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Resume(Action):
    """Routine frames again."""

    kind = "resume"


@dataclass(frozen=True, slots=True)
class Stop(Action):
    """The acquisition ends in order."""

    kind = "stop"
    words: str = ""


KINDS: Mapping[str, type[Action]] = MappingProxyType(
    {
        one.kind: one
        for one in (
            *(MoveStage, MoveFocus, Autofocus, SetPreset, SetExposure, SetPower, SetInterval),
            *(Burst, Stack, Visit, Project, Pulse, Mark, Notify, Pause, Resume, Stop),
        )
    }
)
"""All kinds of actions by their word."""


def _plain(value: object) -> Any:
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "lit": int(np.count_nonzero(value))}
    return [_plain(each) for each in value] if isinstance(value, (tuple, list)) else value
