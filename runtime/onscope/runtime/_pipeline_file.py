"""The YAML of a pipeline: YAML 1.2, no aliases, checked by pydantic, with line numbers in the errors.

schema: 1
stages:
  denoise: {package: zoo/care-beads}
  spots: {package: zoo/spots-beads, reads: denoise, threshold: 0.8, normalise: frozen}
window: {length: 3, every: 1, look_ahead: 1}
calibration: calibration.yaml
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ._pipeline import Pipeline
from ._precision import Precision
from ._stage import SMALLEST_TILE, Stage
from .checked_yaml import read_checked
from .graph import Normalise
from .windows import LONGEST, MOST_PLACES, Along, Gather, OnGap

Name = Annotated[str, Field(min_length=1, max_length=128)]
File = Annotated[str, Field(min_length=1, max_length=4096)]
Number = Annotated[int, Field(ge=0, strict=True)]


class StageModel(BaseModel):
    """One stage. What is not stated is as in the package."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    package: str = Field(min_length=1, description="folder of a package, or ENTRY/NAME of a shipped one")
    reads: str = Field("frame", description="the raw frame, or the image of an earlier stage")
    threshold: float | None = Field(None, ge=0, description="lowest score of a point")
    normalise: Normalise = Field("per_frame", description="whose statistics the steps beside the network use")
    frozen_frames: int = Field(10, ge=1, le=100_000, description="windows that `normalise: frozen` looks at")
    tile: int | None = Field(None, ge=SMALLEST_TILE, le=1 << 16, description="largest side that is run at once, pixels")
    rescale: bool = Field(False, description="bring frames to the pixel size that the package was trained at")
    precision: Precision = Field("float32", description="which weights of the package; auto: the fastest that passed")
    camera: Name | list[Name] | None = Field(None, description="run on frames of these cameras only")
    channel: Name | Number | list[Name | Number] | None = Field(None, description="names or numbers of channels")
    position: Name | Number | list[Name | Number] | None = Field(None, description="names or numbers of positions")


class WindowModel(BaseModel):
    """Which frames one inference needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    length: int = Field(ge=1, le=LONGEST, description="frames of a window")
    along: Along = Field("t", description="t: time points, z: a stack, c: channels, i: an index, such as phases")
    every: int | None = Field(None, ge=1, le=LONGEST, description="frames between windows; not stated: they jump")
    look_ahead: int = Field(0, ge=0, lt=LONGEST, description="frames of the window after the answer's own")
    on_gap: OnGap = Field("invalid", description="what a lost or skipped frame means")
    places: int = Field(8, ge=1, le=MOST_PLACES, description="positions, channels and planes gathered at once")


class PipelineModel(BaseModel):
    """A pipeline file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    stages: Annotated[dict[str, StageModel], Field(min_length=1, max_length=64)]
    window: Annotated[int, Field(ge=1, le=LONGEST)] | WindowModel = Field(
        1, description="consecutive frames that one inference needs, or which"
    )
    calibration: File | dict[Name, File] | None = Field(
        None, description="YAML of the camera's calibration, or of each camera's"
    )
    merge: bool = Field(True, description="stages that run on the same frames are one graph")


def read_pipeline(path: Path) -> Pipeline:
    """The pipeline of a file; raises PipelineError and PackageError."""
    model = read_checked(path, PipelineModel, "pipeline").model
    stages = [
        Stage(
            name,
            _beside(path, stage.package),
            stage.reads,
            {} if stage.threshold is None else {"threshold": stage.threshold},
            normalise=stage.normalise,
            frozen_frames=stage.frozen_frames,
            tile=stage.tile,
            rescale=stage.rescale,
            precision=stage.precision,
            camera=stage.camera,
            channel=stage.channel,
            position=stage.position,
        )
        for name, stage in model.stages.items()
    ]
    window = model.window if isinstance(model.window, int) else Gather(**model.window.model_dump())
    return Pipeline(stages, window, calibration=_calibration(path, model.calibration), merge=model.merge)


def _calibration(path: Path, stated: str | dict[str, str] | None) -> Path | dict[str, str | Path] | None:
    if isinstance(stated, dict):
        return {camera: path.parent / each for camera, each in stated.items()}
    return None if stated is None else path.parent / stated


def _beside(path: Path, package: str) -> str | Path:
    """A package's folder is looked for beside the pipeline's file first, then taken as it is written."""
    near = path.parent / package
    return near if near.exists() else package
