"""The YAML of a pipeline: YAML 1.2, no aliases, checked by pydantic, with line numbers in the errors.

schema: 1
stages:
  denoise: {package: zoo/care-beads}
  spots: {package: zoo/spots-beads, reads: denoise, threshold: 0.8, normalise: frozen}
window: {length: 3, every: 1, look_ahead: 1}
calibration: calibration.yaml
provider: tensorrt, cpu
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ._crops_stage import Crops
from ._errors import PipelineError, ProviderError
from ._host_stages import Measure, Track
from ._pairs_stage import Pairs
from ._pipeline import Pipeline, Written
from ._selects import AnyStage
from ._stage import Stage
from ._stage_models import AnyStageModel, CropsModel, MeasureModel, Name, PairsModel, StageModel, TrackModel
from .checked_yaml import read_checked
from .engines import MOST, listed
from .windows import LONGEST, MOST_PLACES, Along, Gather, OnGap

Provider = Annotated[str, Field(min_length=1, max_length=1000)]
File = Annotated[str, Field(min_length=1, max_length=4096)]


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
    stages: Annotated[dict[str, AnyStageModel], Field(min_length=1, max_length=64)]
    window: Annotated[int, Field(ge=1, le=LONGEST)] | WindowModel = Field(
        1, description="consecutive frames that one inference needs, or which"
    )
    calibration: File | dict[Name, File] | None = Field(
        None, description="YAML of the camera's calibration, or of each camera's"
    )
    merge: bool = Field(True, description="stages that run on the same frames are one graph")
    provider: Provider | Annotated[list[Provider], Field(min_length=1, max_length=MOST)] | None = Field(
        None, description="engine that runs it, or several of which the first that answers rightly is taken"
    )
    shapes: Annotated[list[Annotated[str, Field(pattern=r"^\d{1,5}x\d{1,5}$")]], Field(max_length=32)] = Field(
        [], description="frame sizes that may come, height x width; [] stands for any"
    )


def read_pipeline(path: Path) -> Pipeline:
    """The pipeline of a file; raises PipelineError and PackageError."""
    checked = read_checked(path, PipelineModel, "pipeline")
    model = checked.model
    stages = []
    for name, stage in model.stages.items():
        try:
            stages.append(_stage(path, name, stage))
        except PipelineError as error:
            raise PipelineError(f"{checked.place('stages', name)}: {error}") from error
    window = model.window if isinstance(model.window, int) else Gather(**model.window.model_dump())
    calibration = _calibration(path, model.calibration)
    try:
        provider = None if model.provider is None else listed(model.provider)
    except ProviderError as error:
        raise PipelineError(f"{checked.place('provider')}: {error}") from error
    written = Written(path.absolute(), checked.text)
    return Pipeline(
        stages,
        window,
        calibration=calibration,
        merge=model.merge,
        provider=provider,
        shapes=model.shapes,
        written=written,
    )


PAIRS = ("reads", "side", "border", "gap", "least_score", "rescale", "precision", "most")
"""Keys of a stage with `pairs` that are arguments of Pairs."""


def _stage(path: Path, name: str, stage: StageModel | MeasureModel | TrackModel | CropsModel | PairsModel) -> AnyStage:
    if isinstance(stage, MeasureModel):
        return Measure(name, stage.measure, stage.intensity, columns=stage.columns, most=stage.most, **stage.choice)
    if isinstance(stage, TrackModel):
        return Track(name, stage.track, most=stage.most, **stage.choice, **stage.settings)
    if isinstance(stage, CropsModel):
        return Crops(
            name,
            _beside(path, stage.package),
            stage.crops,
            reads=stage.reads,
            side=stage.side,
            border=stage.border,
            masked=stage.masked,
            normalise=stage.normalise,
            settings=None if stage.decode is None else stage.decode.settings,
            rescale=stage.rescale,
            precision=stage.precision,
            most=stage.most,
            **stage.choice,
        )
    if isinstance(stage, PairsModel):
        given = {name: getattr(stage, name) for name in PAIRS}
        return Pairs(name, _beside(path, stage.package), stage.pairs, **given, **stage.choice)
    return Stage(
        name,
        _beside(path, stage.package),
        stage.reads,
        stage.settings,
        normalise=stage.normalise,
        frozen_frames=stage.frozen_frames,
        tile=stage.tile,
        rescale=stage.rescale,
        precision=stage.precision,
        trust=stage.trust if isinstance(stage.trust, str) else stage.trust.model_dump(),
        **stage.choice,
    )


def _calibration(path: Path, stated: str | dict[str, str] | None) -> Path | dict[str, str | Path] | None:
    if isinstance(stated, dict):
        return {camera: path.parent / each for camera, each in stated.items()}
    return None if stated is None else path.parent / stated


def _beside(path: Path, package: str) -> str | Path:
    """A package's folder is looked for beside the pipeline's file first, then taken as it is written."""
    near = path.parent / package
    return near if near.exists() else package
