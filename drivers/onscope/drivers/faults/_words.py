"""Schedules of faults from a few words, or from a YAML file.

seed=3,drop=2%,jitter_ms=4,burst=1%x8,slow=5%x200ms,fail=0.01,die=0.1%,die@20

schema: 1
seed: 3
camera: {drop: 0.02, drop_frames: 1, jitter_ms: 4, burst: 0.01, burst_frames: 8}
model: {slow: 0.05, slow_ms: 200, fail: 0.01, die: 0.001, runs: [die@20]}
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from onscope.runtime import SourceError
from onscope.runtime.checked_yaml import read_checked

from ._schedule import LONGEST_MS, MOST_FRAMES, FaultSchedule

SHARES = ("drop", "burst", "slow", "hang", "fail", "die")
WHOLE = ("seed", "deaths")


class CameraFaults(BaseModel):
    """What befalls frames on their way from the camera; see FaultSchedule."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    drop: float = Field(0.0, ge=0, le=1, description="share of frames with which a loss begins")
    drop_frames: int = Field(1, ge=1, le=MOST_FRAMES, description="frames of a loss")
    jitter_ms: float = Field(0.0, ge=0, le=LONGEST_MS, description="most by which a frame is late")
    burst: float = Field(0.0, ge=0, le=1, description="share of frames with which a burst begins")
    burst_frames: int = Field(8, ge=1, le=MOST_FRAMES, description="frames that come at once")


class ModelFaults(BaseModel):
    """What befalls runs of a model; see FaultSchedule."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    slow: float = Field(0.0, ge=0, le=1, description="share of runs that take longer")
    slow_ms: float = Field(100.0, ge=0, le=LONGEST_MS, description="by so much")
    hang: float = Field(0.0, ge=0, le=1, description="share of runs that never end")
    fail: float = Field(0.0, ge=0, le=1, description="share of runs that raise an error")
    die: float = Field(0.0, ge=0, le=1, description="share of runs that kill the worker")
    deaths: int = Field(2, ge=0, le=1000, description="most ends of the worker, by hang and die together")
    runs: list[str] = Field(default_factory=list, max_length=1000, description="faults at chosen runs, like die@20")


class FaultsModel(BaseModel):
    """A file of faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    seed: int = Field(0, ge=0, lt=10**18)
    camera: CameraFaults = Field(default_factory=lambda: CameraFaults.model_validate({}))
    model: ModelFaults = Field(default_factory=lambda: ModelFaults.model_validate({}))


def read(text: str) -> FaultSchedule:
    """A schedule from a few words or the path of a YAML file; raises SourceError."""
    if text.endswith((".yaml", ".yml")) or os.path.isfile(text):
        return _read_file(Path(text).expanduser())
    return parse(text)


def parse(text: str) -> FaultSchedule:
    """A schedule from words like seed=3,drop=2%,slow=5%x200ms; raises SourceError."""
    values: dict[str, Any] = {}
    runs: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        if "@" in part:
            runs.append(part)
        elif name in values:
            raise SourceError(f"found {name} twice in {text!r}, expected it once")
        else:
            values |= _value(name, value, part)
    return FaultSchedule(**values, runs=tuple(runs))


def _value(name: str, value: str, part: str) -> dict[str, Any]:
    value, _, more = value.partition("x")
    try:
        if name in SHARES:
            share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
            extra: dict[str, Any] = {}
            if more and name == "slow":
                extra = {"slow_ms": float(more.removesuffix("ms"))}
            elif more and name in ("drop", "burst"):
                extra = {f"{name}_frames": int(more)}
            if bool(more) == bool(extra):
                return {name: share, **extra}
        elif not more and name in WHOLE:
            return {name: int(value)}
        elif not more and name == "jitter_ms":
            return {name: float(value)}
    except ValueError:
        pass
    raise SourceError(
        f"found {part!r} in a schedule of faults, expected words like seed=3, drop=2%, drop=1%x5, jitter_ms=4, "
        "burst=1%x8, slow=5%x200ms, hang=0.1%, fail=1%, die=0.1%, deaths=2, die@20, or a YAML file"
    )


def _read_file(path: Path) -> FaultSchedule:
    file = read_checked(path, FaultsModel, "schedule of faults", SourceError)
    told = file.model
    try:
        model = told.model.model_dump() | {"runs": tuple(told.model.runs)}
        return FaultSchedule(told.seed, **told.camera.model_dump(), **model)
    except SourceError as error:
        raise SourceError(f"{file.place('model')}: {error}") from error
