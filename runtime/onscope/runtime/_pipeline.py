"""Pipelines: which packages run on what, in Python or from YAML."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ._crops_stage import Crops
from ._errors import PipelineError
from ._frame import FrameSpec
from ._pipeline_checks import check_stages
from ._requests import spec_message
from ._selects import FRAME, AnyStage
from ._shapes import Shape, shapes_of
from ._stage import Stage
from .graph import load_calibration
from .package import Package
from .windows import Gather

ANY = ""
"""Stands for every camera that has no calibration of its own."""


@dataclass(frozen=True, slots=True)
class Written:
    """The YAML file that a pipeline was read from, and its text at that moment."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages in the order in which they run, on windows of frames.

    `window` is a Gather, or a number of consecutive frames (1: every frame by itself). `calibration` is the YAML of a
    camera's calibration, or a mapping of them by camera. `merge`: stages that run on the same frames are one graph, so
    that nothing returns to the host between them. `provider` is the engine, or the list of them, that it runs on
    where a Runtime is not told another. `shapes` are the frame sizes that may come ((): any): `prepare` makes all of
    them ready, and others are not prepared in mid-run. `written` is the file that it was read from, if there was one.
    """

    stages: tuple[AnyStage, ...]
    gather: Gather
    calibration: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    merge: bool = True
    provider: str | None = None
    shapes: tuple[Shape, ...] = ()
    written: Written | None = field(default=None, compare=False)

    def __init__(
        self,
        stages: Sequence[AnyStage],
        window: int | Gather = 1,
        *,
        calibration: str | Path | Mapping[str, str | Path] | None = None,
        merge: bool = True,
        provider: str | None = None,
        shapes: Sequence[str | Sequence[int]] = (),
        written: Written | None = None,
    ) -> None:
        object.__setattr__(self, "stages", tuple(stages))
        object.__setattr__(self, "gather", window if isinstance(window, Gather) else Gather.consecutive(window))
        object.__setattr__(self, "calibration", MappingProxyType(_by_camera(calibration)))
        object.__setattr__(self, "merge", merge)
        object.__setattr__(self, "provider", provider)
        object.__setattr__(self, "shapes", shapes_of(shapes))
        object.__setattr__(self, "written", written)
        check_stages(self.stages, self.gather)
        for path in self.calibration.values():
            load_calibration(path)  # what is wrong with it is told before a camera runs

    @classmethod
    def load(cls, path: str | Path) -> Pipeline:
        """Read a pipeline's YAML; packages are found beside it, or among the shipped ones.

        Raises PipelineError with the line at fault, or PackageError.
        """
        from ._pipeline_file import read_pipeline

        return read_pipeline(Path(path))

    def on(self, provider: str) -> Pipeline:
        """The pipeline with every stage's `precision: auto` settled for that provider on this machine."""
        settled = copy.copy(self)
        object.__setattr__(settled, "stages", tuple(stage.on(provider) for stage in self.stages))
        return settled

    def replaced(self, stage: AnyStage) -> Pipeline:
        """The pipeline with another stage of the same name in its place; raises PipelineError where it does not fit."""
        stages = tuple(stage if each.name == stage.name else each for each in self.stages)
        check_stages(stages, self.gather)
        made = copy.copy(self)
        object.__setattr__(made, "stages", stages)
        return made

    def shaped(self, shapes: Sequence[str | Sequence[int]]) -> Pipeline:
        """The pipeline with other frame sizes; raises PipelineError."""
        made = copy.copy(self)
        object.__setattr__(made, "shapes", shapes_of(shapes))
        return made

    @property
    def window(self) -> int:
        """How many frames are one window."""
        return self.gather.length

    @property
    def rescales(self) -> bool:
        """Whether frames of another pixel size need graphs of their own."""
        return any(stage.rescale for stage in self.stages if isinstance(stage, Stage | Crops))

    def options(self, camera: str) -> dict[str, Any]:
        """What the worker needs to know beside the stages, for frames of a camera, as plain values."""
        path = self.calibration.get(camera) or self.calibration.get(ANY)
        return {
            "gather": {"length": self.gather.length, "along": self.gather.along, "target": self.gather.target},
            "calibration": None if path is None else str(path),
            "merge": self.merge,
        }

    def opening(self, spec: FrameSpec, provider: str, threads: int | None) -> dict[str, Any]:
        """All that a Chain for frames like `spec` needs to know, as plain values. Raises PipelineError."""
        stages = self.stages_of(spec.camera)
        if not stages:
            raise PipelineError(f"found no stage for the camera {spec.camera!r}, expected one: name another camera")
        return {
            "spec": spec_message(spec),
            "stages": [stage.on(provider).message() for stage in stages],
            **self.options(spec.camera),
            "provider": provider,
            "threads": threads,
        }

    @property
    def images(self) -> list[str]:
        """Names of the stages that answer with an image, or labels; the others answer with a table of objects."""
        return [stage.name for stage in self.stages if stage.gives != "table"]

    @property
    def networks(self) -> list[Stage]:
        """The stages that run a package."""
        return [stage for stage in self.stages if isinstance(stage, Stage)]

    @property
    def on_crops(self) -> list[Crops]:
        """The stages that run a package on objects."""
        return [stage for stage in self.stages if isinstance(stage, Crops)]

    @property
    def packages(self) -> list[Package]:
        """The packages that its stages run, in their order."""
        return [stage.package for stage in self.stages if isinstance(stage, Stage | Crops)]

    def stages_of(self, camera: str) -> list[AnyStage]:
        """The stages that may run on a camera's frames."""
        taken: dict[str, AnyStage] = {}
        for stage in self.stages:
            if (stage.camera is None or camera in stage.camera) and {FRAME, *taken}.issuperset(stage.inputs):
                taken[stage.name] = stage
        return list(taken.values())


def _by_camera(calibration: str | Path | Mapping[str, str | Path] | None) -> dict[str, Path]:
    if calibration is None:
        return {}
    each = calibration if isinstance(calibration, Mapping) else {ANY: calibration}
    return {camera: Path(path).resolve() for camera, path in each.items()}
