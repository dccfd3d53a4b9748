"""Stages as they are written in the YAML of a pipeline; which kind one is, its keys say.

nuclei: {package: zoo/nuclei-cells}
cells: {measure: nuclei, intensity: [frame]}
tracks: {track: cells, max_distance_um: 8, gap: 2, divisions: true}
phase: {package: zoo/mitosis-cells, crops: cells, rescale: true}
lineage: {package: my/pairwise-network, pairs: cells, side: 256}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from ._host_stages import LARGEST_TABLE, MOST_ROWS
from ._precision import Precision
from ._stage import SMALLEST_TILE
from .graph import Normalise

Name = Annotated[str, Field(min_length=1, max_length=128)]
Number = Annotated[int, Field(ge=0, strict=True)]
Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]
From0 = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
CHOICES = ("camera", "channel", "position")


class TrustModel(BaseModel):
    """Two answers to one frame, compared every now and then."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    disagreement: Literal["none", "flip", "fp16", "int8"] = Field(
        "none", description="with which answer the own one is compared: to the mirrored frame, or of these weights"
    )
    every: int = Field(25, ge=1, le=1_000_000, description="windows from one comparison to the next")


class ChoiceModel(BaseModel):
    """Which frames a stage runs on."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    camera: Name | list[Name] | None = Field(None, description="run on frames of these cameras only")
    channel: Name | Number | list[Name | Number] | None = Field(None, description="names or numbers of channels")
    position: Name | Number | list[Name | Number] | None = Field(None, description="names or numbers of positions")

    @property
    def choice(self) -> dict[str, Any]:
        """The same as arguments of a stage."""
        return {"camera": self.camera, "channel": self.channel, "position": self.position}


class DecodeModel(BaseModel):
    """What is made of the network's output; settings go before those of the package."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: Name | None = Field(None, description="image, points, ...: see docs/labels.md; as in the package")

    @property
    def settings(self) -> dict[str, Any]:
        """The same as settings of a stage."""
        return ({} if self.kind is None else {"decode": self.kind}) | (self.model_extra or {})


class StageModel(ChoiceModel):
    """A network on frames. What is not stated is as in the package."""

    package: str = Field(min_length=1, description="folder of a package, or ENTRY/NAME of a shipped one")
    reads: str = Field("frame", description="the raw frame, or the image of an earlier stage")
    threshold: float | None = Field(None, ge=0, description="lowest score of a point")
    normalise: Normalise = Field("per_frame", description="whose statistics the steps beside the network use")
    frozen_frames: int = Field(10, ge=1, le=100_000, description="windows that `normalise: frozen` looks at")
    tile: int | None = Field(None, ge=SMALLEST_TILE, le=1 << 16, description="largest side that is run at once, pixels")
    rescale: bool = Field(False, description="bring frames to the pixel size that the package was trained at")
    precision: Precision = Field("float32", description="which weights of the package; auto: the fastest that passed")
    trust: Literal["auto", "off"] | TrustModel = Field(
        "auto", description="whether answers are looked at; auto: where they restore what the stage reads"
    )
    decode: DecodeModel | None = Field(None, description="what is made of the network's output")

    @property
    def settings(self) -> dict[str, Any]:
        """What goes before the package's own settings."""
        decode = {} if self.decode is None else self.decode.settings
        return decode if self.threshold is None else {**decode, "threshold": self.threshold}


class MeasureModel(ChoiceModel):
    """A row per object of a label image."""

    measure: Name = Field(description="the earlier stage that answers with labels")
    intensity: Name | list[Name] = Field(["frame"], description="images that are measured below the labels")
    columns: list[Literal["perimeter", "area_convex", "solidity", "feret_diameter_max"]] = Field(
        [], description="measured beside those that are always there"
    )
    most: int = Field(MOST_ROWS, ge=1, le=LARGEST_TABLE, description="objects that are kept of a frame")


class TrackModel(ChoiceModel):
    """The same objects from frame to frame. Give one of the largest distances, in pixels or in micrometres."""

    track: Name = Field(description="the earlier stage with a table of places")
    max_distance: Above0 | None = Field(
        None, description="pixels from one frame to the next, from where it is expected"
    )
    max_distance_um: Above0 | None = Field(None, description="the same in micrometres")
    gap: int = Field(0, ge=0, le=10_000, description="frames in a row in which an object may be missing")
    gap_growth: From0 = Field(0.5, description="the largest distance grows with frames ** gap_growth")
    model: Literal["still", "kalman"] = Field(
        "still", description="expected where it was, or where its speed brings it"
    )
    divisions: bool = Field(False, description="whether objects divide in two")
    max_division_distance: Above0 | None = Field(None, description="of a daughter from its mother, pixels")
    max_division_distance_um: Above0 | None = Field(None, description="the same in micrometres")
    min_division_age: From0 = Field(3, description="frames from a track's beginning to its division")
    min_daughter_ratio: Share = Field(0.5, description="the smaller daughter's area over the larger one's")
    min_area_ratio: Share = Field(0.0, description="the same of an object from frame to frame")
    area_weight: From0 = Field(0.0, description="of differences in area")
    intensity_weight: From0 = Field(0.0, description="of differences in intensity")
    intensity: str = Field("", max_length=128, description="the column that is the intensity")
    appearance: Name | None = Field(None, description="a stage of crops of the same objects: how alike two of them are")
    appearance_weight: From0 = Field(0.0, description="of differences in appearance")
    unlinked_cost: float = Field(1.05, gt=0.5, allow_inf_nan=False, description="of an end and of a beginning")
    position_noise: Above0 = Field(1.0, description="of places that are measured, pixels (kalman)")
    speed_noise: From0 = Field(1.0, description="of the speed from frame to frame, pixels per frame (kalman)")
    most: int = Field(MOST_ROWS, ge=1, le=LARGEST_TABLE, description="rows that are kept of a frame")

    @property
    def settings(self) -> dict[str, Any]:
        """What is stated of the tracker."""
        return {name: getattr(self, name) for name in self.model_fields_set - {*CHOICES, "track", "most"}}


class CropsModel(ChoiceModel):
    """A network on each object of an earlier stage. What is not stated is as in the package."""

    package: str = Field(min_length=1, description="folder of a package, or ENTRY/NAME of a shipped one")
    crops: Name = Field(description="the earlier stage with a table of places")
    reads: str = Field("frame", description="what crops are cut from: the raw frame, or the image of an earlier stage")
    side: int | None = Field(None, ge=1, le=1 << 16, description="height and width in pixels of the network")
    border: str = Field("", max_length=32, description="what lies beyond the image; as the package says")
    masked: bool = Field(False, description="only the pixels of the crop's own object are kept")
    normalise: Literal["per_crop", "per_frame"] = Field("per_crop", description="whose statistics the steps use")
    rescale: bool = Field(False, description="bring frames to the pixel size that the package was trained at")
    precision: Precision = Field("float32", description="which weights of the package; auto: the fastest that passed")
    decode: DecodeModel | None = Field(None, description="what is made of the network's output")
    most: int = Field(MOST_ROWS, ge=1, le=LARGEST_TABLE, description="objects that are kept of a frame")


class PairsModel(ChoiceModel):
    """Measured objects from frame to frame, by a network that is given two frames and their masks."""

    package: str = Field(min_length=1, description="folder of a package, or ENTRY/NAME of a shipped one")
    pairs: Name = Field(description="the earlier stage with `measure`")
    reads: str = Field("frame", description="what is compared: the raw frame, or the image of an earlier stage")
    side: int | None = Field(None, ge=1, le=1 << 16, description="height and width of crops, pixels of the network")
    border: str = Field("", max_length=32, description="what lies beyond the image; as the package says")
    gap: int = Field(0, ge=0, le=10_000, description="frames in a row that may be lost between two that are compared")
    least_score: float = Field(0.2, gt=0, le=1, description="share of an object that a mask must cover for a link")
    rescale: bool = Field(False, description="bring frames to the pixel size that the package was trained at")
    precision: Precision = Field("float32", description="which weights of the package; auto: the fastest that passed")
    most: int = Field(MOST_ROWS, ge=1, le=LARGEST_TABLE, description="rows that are kept of a frame")


def _kind(stage: Any) -> str:
    """The tag of a stage's model, by the keys that it has."""
    keys = stage if isinstance(stage, Mapping) else ()
    return next((f"<{key}>" for key in ("measure", "track", "crops", "pairs") if key in keys), "<package>")


AnyStageModel = Annotated[
    Annotated[StageModel, Tag("<package>")]
    | Annotated[MeasureModel, Tag("<measure>")]
    | Annotated[TrackModel, Tag("<track>")]
    | Annotated[CropsModel, Tag("<crops>")]
    | Annotated[PairsModel, Tag("<pairs>")],
    Discriminator(_kind),
]
