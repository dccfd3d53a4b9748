"""What a controller must know of a microscope and no device tells: light at the sample, lines, the SLM's place."""

from __future__ import annotations

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

    By `swap_xy` the camera's columns follow the stage's y; by `flip_x` its columns, by `flip_y` its rows run against
    the stage's axis.
    """

    x_um: Range | None = None
    y_um: Range | None = None
    z_um: Range | None = None
    dark_um: float = 50.0
    flip_x: bool = False
    flip_y: bool = False
    swap_xy: bool = False

    def seen(self, dx_um: float, dy_um: float) -> tuple[float, float]:
        """A way on the stage as one along the camera's columns and rows, in um."""
        dx_um, dy_um = (dy_um, dx_um) if self.swap_xy else (dx_um, dy_um)
        return -dx_um if self.flip_x else dx_um, -dy_um if self.flip_y else dy_um


@dataclass(frozen=True, slots=True)
class Put:
    """A property and the value that it has in the safe state."""

    device: str
    property: str
    value: Value


@dataclass(frozen=True, slots=True)
class Calibration:
    """A microscope as a controller needs to know it; `load` reads one from a YAML file.

    `channels`: by preset of the group `channel_group` ("": the core's channel group) the lights that shine in it, with
    their power in mW at the sample. `shutter` ("": the core's): closes all lights. `lines`: TTL outputs and shutters
    that may be pulsed. `slms` by name. `exposure_ms`: the camera's range, where it does not tell it. `safe`: what else
    belongs to the safe state, in this order, after shutter, lights, lines and SLMs.
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
