"""Calibrations as YAML files.

schema: 1
shutter: White Light Shutter
lights:
  blue:
    device: LED engine
    property: Blue level
    measured: {power_mw: 12.0, at: 100}   # at the sample, with this value of the property
    most_mw: 8
    area_um2: 105600                      # or {Plan 20x: 950300, Plan 60x: 105600}, by preset
    switch: {device: LED engine, property: Blue enable}
    note: 2026-11-02, power meter behind the 60x
channels:
  FITC: {blue: 5.0}                       # mW
lines:
  uncage: {device: Arduino, property: Switch 1, most_ms: 50, light: blue}
slms:
  dmd: {device: DMD, shape: [768, 1024], affine: [1.2, 0, 80, 0, 1.2, 40], camera_shape: [2048, 2048]}
stages: {x_um: [-5000, 5000], y_um: [-3000, 3000], z_um: [-50, 350], dark_um: 50}
exposure_ms: [0.1, 10000]
safe:
  - {device: Laser, property: Emission, value: Off}
heartbeat: {device: Arduino, property: Switch 8, period_s: 0.1, patience_s: 1.0}
"""

from __future__ import annotations

import os
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from onscope.runtime import ControlError
from onscope.runtime.checked_yaml import Checked, read_checked

from ._calibration import Calibration, HeartbeatLine, LightOutput, Line, Put, SlmOutput, Stages

Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=1, le=65_536)]
Value = Annotated[int | float | str, Field(union_mode="left_to_right")]
Ends = tuple[Finite, Finite]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineModel(_Part):
    device: Name
    property: Name
    on: Value = 1
    off: Value = 0
    most_ms: Above0 = 10_000.0
    light: str = ""


class MeasuredModel(_Part):
    power_mw: Above0 = Field(description="mW at the sample")
    at: Above0 = Field(description="value of the property that it was measured with")


class LightModel(_Part):
    device: Name
    property: Name
    mw_per_unit: Above0 | None = Field(None, description="mW at the sample for one unit of the property")
    measured: MeasuredModel | None = None
    most_mw: Above0
    area_um2: Above0 | dict[str, Above0]
    switch: LineModel | None = None
    note: str = ""

    @model_validator(mode="after")
    def _one_scale(self) -> LightModel:
        if (self.mw_per_unit is None) == (self.measured is None):
            raise ValueError("found mw_per_unit and measured both or neither, expected one of them")
        return self


class SlmModel(_Part):
    device: Name
    shape: tuple[Whole, Whole]
    affine: tuple[Finite, Finite, Finite, Finite, Finite, Finite]
    camera_shape: tuple[Whole, Whole]
    idle: Literal["dark", "full"] = "dark"


class StagesModel(_Part):
    x_um: Ends | None = None
    y_um: Ends | None = None
    z_um: Ends | None = None
    dark_um: Annotated[float, Field(ge=0)] = 50.0
    flip_x: bool = False
    flip_y: bool = False
    swap_xy: bool = False


class PutModel(_Part):
    device: Name
    property: Name
    value: Value


class HeartbeatModel(_Part):
    device: Name
    property: Name
    values: tuple[Value, Value] = (0, 1)
    period_s: Annotated[float, Field(ge=0.005, le=60)] = 0.1
    patience_s: Annotated[float, Field(ge=0.01, le=600)] = 1.0

    @model_validator(mode="after")
    def _patient(self) -> HeartbeatModel:
        if self.period_s >= self.patience_s:
            raise ValueError("found a patience_s that is not longer than period_s, expected it to be")
        return self


class CalibrationModel(_Part):
    """A calibration file."""

    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    lights: dict[str, LightModel] = {}
    channels: dict[str, dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]] = {}
    channel_group: str = ""
    shutter: str = ""
    lines: dict[str, LineModel] = {}
    slms: dict[str, SlmModel] = {}
    stages: StagesModel = StagesModel()
    exposure_ms: Ends | None = None
    safe: Annotated[list[PutModel], Field(max_length=1000)] = []
    heartbeat: HeartbeatModel | None = None


def read_calibration(path: str | os.PathLike[str]) -> Calibration:
    """The calibration of a YAML file. Raises ControlError, with the line, where it is wrong."""
    file = read_checked(Path(path).expanduser(), CalibrationModel, "calibration", ControlError)
    told = file.model
    _check(file)
    return Calibration(
        lights=MappingProxyType({name: _light(one) for name, one in told.lights.items()}),
        channels=MappingProxyType({name: MappingProxyType(dict(one)) for name, one in told.channels.items()}),
        channel_group=told.channel_group,
        shutter=told.shutter,
        lines=MappingProxyType({name: _line(one) for name, one in told.lines.items()}),
        slms=MappingProxyType({name: _slm(one) for name, one in told.slms.items()}),
        stages=Stages(**told.stages.model_dump()),
        exposure_ms=told.exposure_ms,
        safe=tuple(Put(one.device, one.property, one.value) for one in told.safe),
        heartbeat=None if told.heartbeat is None else HeartbeatLine(**told.heartbeat.model_dump()),
    )


def _light(one: LightModel) -> LightOutput:
    scale = one.measured.power_mw / one.measured.at if one.measured else one.mw_per_unit or 1.0
    areas = one.area_um2 if isinstance(one.area_um2, dict) else {"": one.area_um2}
    switch = None if one.switch is None else _line(one.switch)
    return LightOutput(one.device, one.property, scale, one.most_mw, MappingProxyType(dict(areas)), switch, one.note)


def _line(one: LineModel) -> Line:
    return Line(one.device, one.property, one.on, one.off, one.most_ms, one.light)


def _slm(one: SlmModel) -> SlmOutput:
    return SlmOutput(one.device, one.shape, (one.affine[:3], one.affine[3:]), one.camera_shape, one.idle)


def _check(file: Checked[CalibrationModel]) -> None:
    """What one part of the file says of another, and ranges."""
    told, known = file.model, ", ".join(file.model.lights) or "none"

    def wrong(words: str, *place: Any) -> ControlError:
        return ControlError(f"{file.place(*place)}: {words}")

    for channel, lights in told.channels.items():
        for name, power_mw in lights.items():
            if name not in told.lights:
                raise wrong(f"found the light {name!r}, expected one of {known}", "channels", channel, name)
            if power_mw > told.lights[name].most_mw:
                most = f"{told.lights[name].most_mw:g}"
                raise wrong(f"found {power_mw:g} mW of {name}, expected at most its {most}", "channels", channel, name)
    for name, line in told.lines.items():
        if line.light and line.light not in told.lights:
            raise wrong(f"found the light {line.light!r}, expected one of {known}", "lines", name, "light")
    for name, slm in told.slms.items():
        a, b, _, d, e, _ = slm.affine
        if a * e == b * d:
            raise wrong(
                "found a map that leads to a line, expected one that can be turned round", "slms", name, "affine"
            )
    ranges = {("stages", axis): getattr(told.stages, axis) for axis in ("x_um", "y_um", "z_um")}
    for place, ends in (ranges | {("exposure_ms",): told.exposure_ms}).items():
        if ends is not None and not ends[0] < ends[1]:
            raise wrong(f"found {ends[0]:g} to {ends[1]:g}, expected the lower end first", *place)
