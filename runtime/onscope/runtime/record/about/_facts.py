"""What a manifest says of its run, looked at before it is believed; what is not known here is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..._errors import RecordError

Text = Annotated[str, Field(max_length=1 << 20)]
Few = Field(default=(), max_length=10_000)


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class Cited(_Model):
    """Something to cite."""

    text: Text | None = None
    doi: Text | None = None
    url: Text | None = None


class Author(_Model):
    """Who made a package."""

    name: Text = ""
    affiliation: Text | None = None
    orcid: Text | None = None


class PackageFacts(_Model):
    """A package that ran."""

    name: Text = ""
    id: Text | None = None
    version: Text | None = None
    description: Text = ""
    licence: Text | None = None
    authors: tuple[Author, ...] = Few
    cite: tuple[Cited, ...] = Few
    origin: Text | None = None
    folder: Text | None = None
    files: dict[Text, Text] = Field(default_factory=dict, max_length=10_000)
    forced: bool = False


class StageFacts(_Model):
    """A stage of the pipeline, with its settings."""

    name: Text
    kind: Text = "network"
    reads: Text = "frame"
    inputs: tuple[Text, ...] = Few
    settings: dict[Text, Any] = Field(default_factory=dict, max_length=10_000)
    package: Text = ""
    package_sha256: Text | None = None
    licence: Text | None = None
    normalise: Text | None = None
    frozen_frames: int | None = None
    precision: Text | None = None
    tile: int | None = None
    rescale: bool | None = None


class WindowFacts(_Model):
    """Which frames one inference needed."""

    length: int = 1
    along: Text = "t"
    look_ahead: int = 0


class CalibrationFacts(_Model):
    """A camera's calibration."""

    file: Text = ""
    yaml: Text | None = None
    sha256: Text | None = None


class PipelineFacts(_Model):
    """The pipeline as it ran."""

    file: Text | None = None
    yaml: Text | None = None
    window: WindowFacts = WindowFacts()
    calibration: dict[Text, CalibrationFacts] = Field(default_factory=dict, max_length=10_000)
    stages: tuple[StageFacts, ...] = Few


class StatisticFacts(_Model):
    """A statistic that the host takes."""

    stage: Text
    name: Text
    normalise: Text = "per_frame"


class GraphFacts(_Model):
    """A compiled graph."""

    stages: tuple[Text, ...] = Few
    sha256: Text = ""
    provider: Text = ""
    tiling: dict[str, Any] | None = None
    statistics: tuple[StatisticFacts, ...] = Few


class LaneFacts(_Model):
    """What ran for frames of one look."""

    camera: Text
    shape: tuple[int, ...] = Field(max_length=4)
    dtype: Text = ""
    pixel_size_um: float | None = None
    calibration: Text | None = None
    graphs: tuple[GraphFacts, ...] = Few
    graphs_before: tuple[GraphFacts, ...] = Few  # on providers that were lost since
    report: tuple[Text, ...] = Few


class AdmissionFacts(_Model):
    """What entered under load."""

    kind: Text = ""
    depth: int = 0
    every_n: int = 1
    deadline_ms: float | None = None


class RuntimeFacts(_Model):
    """How the runtime was set."""

    worker: Text = ""
    provider: Text = ""
    threads: int | None = None
    admission: AdmissionFacts = AdmissionFacts()


class EventFacts(_Model):
    """Something that happened."""

    at_ns: int
    kind: Text
    message: Text


class GpuFacts(_Model):
    """A GPU."""

    name: Text = ""
    driver: Text = ""


class MachineFacts(_Model):
    """The computer."""

    cpu: Text = ""
    cores: int | None = None
    system: Text = ""
    name: Text = ""
    release: Text = ""
    memory_mb: int | None = None
    gpus: tuple[GpuFacts, ...] | None = None


class ClockFacts(_Model):
    """One moment on both clocks."""

    wall_ns: int
    monotonic_ns: int


class UnsavedFacts(_Model):
    """Frames that follow one another from `seq` on, which were given to a recorder that failed."""

    run: Text
    camera: Text
    segment: int
    seq: int
    frames: int


class SwapFacts(_Model):
    """A stage's package that was replaced; `lanes` are what ran since."""

    at_ns: int
    stage: Text
    package: Text = ""
    package_sha256: Text = ""
    packages: dict[Text, PackageFacts] = Field(default_factory=dict, max_length=10_000)
    lanes: tuple[LaneFacts, ...] = Few


class RunFacts(_Model):
    """All of it. `pipeline` None: there was none, or it was described in `words` alone."""

    layout: int = Field(alias="schema")
    state: Text
    error: Text | None = None
    began: Text = ""
    clock: ClockFacts
    command: tuple[Text, ...] = Few
    versions: dict[Text, Text] = Field(default_factory=dict, max_length=10_000)
    machine: MachineFacts = MachineFacts()
    pipeline: PipelineFacts = PipelineFacts()
    packages: dict[Text, PackageFacts] = Field(default_factory=dict, max_length=10_000)
    runtime: RuntimeFacts = RuntimeFacts()
    lanes: tuple[LaneFacts, ...] = Few
    swaps: tuple[SwapFacts, ...] = Few
    sources: tuple[dict[str, Any], ...] = Few
    events: tuple[EventFacts, ...] = Few
    events_left_out: int = 0
    statistics: tuple[dict[str, Any], ...] = Few
    unsaved: tuple[UnsavedFacts, ...] = Few
    notes: dict[Text, Text] = Field(default_factory=dict, max_length=10_000)

    @property
    def all_packages(self) -> dict[str, PackageFacts]:
        """Those that the run began with, and those that were put in their place, by their sha256."""
        return self.packages | {name: each for swap in self.swaps for name, each in swap.packages.items()}

    @field_validator("pipeline", mode="before")
    @classmethod
    def _of_any_layout(cls, value: Any) -> Any:
        if value is None or isinstance(value, str):  # none, or words of who recorded without one
            return {}
        return {"stages": value} if isinstance(value, list) else value  # layout 2 had the stages alone


def facts_of(manifest: Mapping[str, Any], folder: Path) -> RunFacts:
    """The facts of a recording's manifest; raises RecordError, which says what is not as it should be."""
    try:
        return RunFacts.model_validate(manifest)
    except (ValidationError, RecursionError) as error:
        where, what = "it", str(error)
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False, include_input=False)[0]
            where, what = ".".join(map(str, first["loc"]))[:200], first["msg"]
        raise RecordError(
            f"found {where} in the recording.json of {folder} that cannot be ({what}), expected what a recording of "
            "onscope holds: restore it from a copy"
        ) from error
