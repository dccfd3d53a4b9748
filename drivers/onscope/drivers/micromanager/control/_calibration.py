"""What a controller must know of a microscope and no device tells: light at the sample, lines, the SLM's place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from onscope.runtime.feedback import Range

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is switched by a property: `on` and `off` are its values. `most_ms`: the longest pulse. `light`:
    the light that it lets through, where it does."""

    device: str
    property: str
    on: Value = 1
    off: Value = 0
    most_ms: float = 10_000.0
    light: str = ""


@dataclass(frozen=True, slots=True)
class LightOutput:
    """A light: the property that sets its power, of which a unit is `mw_per_unit` milliwatts at the sample.

    `most_mw` is the highest power that may be asked for. `areas_um2` is the area that the power is spread over, by the
    preset (an objective's, say) that it holds for, "" for all others. `switch` turns it on and off; None: only the
    shutter does, or its power. `note` tells how and when the power was measured.
    """

    device: str
    property: str
    mw_per_unit: float
    most_mw: float
    areas_um2: Mapping[str, float]
    switch: Line | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SlmOutput:
    """An SLM of `shape` (rows, columns), uint8.

    `affine` leads from a pixel (column, row, 1) of the whole, unbinned camera image of `camera_shape` (rows, columns)
    to a mirror (column, row); whole numbers are middles. Camera and SLM look through the same objective, so it holds
    for all of them. `idle` is what it shows when nothing is projected: "full" where the camera's light comes by it.
    """

    device: str
    shape: tuple[int, int]
    affine: tuple[tuple[float, float, float], tuple[float, float, float]]
    camera_shape: tuple[int, int]
    idle: Literal["dark", "full"] = "dark"


@dataclass(frozen=True, slots=True)
class Stages:
    """Ranges of the stages in um, where they are known; how the camera looks at the stage; `dark_um`: moves that are
    longer than this are made in the dark, with the camera at rest.

    A pixel's column and row count along x and y of the stage, or along y and x with `swap_xy`; then x is turned round
    by `flip_x`, y by `flip_y`, as in the rules' `AimSettings`.
    """

    x_um: Range | None = None
    y_um: Range | None = None
    z_um: Range | None = None
    dark_um: float = 50.0
    flip_x: bool = False
    flip_y: bool = False
    swap_xy: bool = False

    @property
    def to_camera(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The matrix from a way (x, y) on the stage to one along the camera's (columns, rows)."""
        x, y = (-1.0 if self.flip_x else 1.0), (-1.0 if self.flip_y else 1.0)
        return ((0.0, y), (x, 0.0)) if self.swap_xy else ((x, 0.0), (0.0, y))


@dataclass(frozen=True, slots=True)
class Put:
    """A property and the value that it has in the safe state."""

    device: str
    property: str
    value: Value


@dataclass(frozen=True, slots=True)
class HeartbeatLine:
    """A property that drives the input of a hardware watchdog, and how: see `Heartbeat`."""

    device: str
    property: str
    values: tuple[Value, Value] = (0, 1)
    period_s: float = 0.1
    patience_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A microscope as a controller needs to know it; `load` reads one from a YAML file.

    `channels`: by preset of the group `channel_group` ("": the core's channel group) the lights that shine in it, with
    their power in mW at the sample. `shutter` ("": the core's): closes all lights. `lines`: TTL outputs and shutters
    that may be pulsed. `slms` by name. `exposure_ms`: the camera's range, where it does not tell it. `safe`: what else
    belongs to the safe state, in this order, after shutter, lights, lines and SLMs. `heartbeat`: the line to a hardware
    watchdog, if there is one.
    """

    lights: Mapping[str, LightOutput] = field(default_factory=lambda: MappingProxyType({}))
    channels: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))
    channel_group: str = ""
    shutter: str = ""
    lines: Mapping[str, Line] = field(default_factory=lambda: MappingProxyType({}))
    slms: Mapping[str, SlmOutput] = field(default_factory=lambda: MappingProxyType({}))
    stages: Stages = field(default_factory=Stages)
    exposure_ms: Range | None = None
    safe: tuple[Put, ...] = ()
    heartbeat: HeartbeatLine | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Calibration:
        """Of a YAML file; raises ControlError, which names the line, where it is wrong."""
        from ._calibration_file import read_calibration  # pydantic, which nobody else here needs

        return read_calibration(path)
