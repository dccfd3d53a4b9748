"""Pipelines: which packages run on what, in Python or from YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from ._errors import PipelineError
from ._frame import Frame
from ._gather import Gather
from ._requests import request_message
from .decode import decoder
from .graph import Normalise, StageRequest, is_decoder, load_calibration
from .package import Package

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""What stages may be called: the names become folders of a recording."""
FRAME = "frame"
ANY = ""
"""Stands for every camera that has no calibration of its own."""
SMALLEST_TILE = 16


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: the package it runs, and what it reads: "frame" (the raw one) or an earlier stage with an image.

    `package` is a Package, the path of one, or the name of a shipped one ("zoo/care-beads"). `settings` go before
    those of the package, e.g. {"threshold": 0.4}. `camera`, `channel` and `position` choose the frames that it runs
    on: a name, a number of the acquisition's axis, or several of them; None: all. Frames of an acquisition without
    such an axis are number 0 of it.

    `normalise` says whose statistics the steps beside the network use: "per_frame" (each window's own), "frozen" (those
    of the first `frozen_frames` windows: no flicker, for quantitative imaging), "running" (a running mean) or "shared"
    (those of the raw frame, for a stage that reads an earlier one). `tile` is the largest side in pixels that the
    network is run on at once (None: the whole frame), `rescale` whether frames are brought to the pixel size that the
    package was trained at.
    """

    name: str
    package: Package
    reads: str = FRAME
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    normalise: Normalise = "per_frame"
    frozen_frames: int = 10
    tile: int | None = None
    rescale: bool = False
    camera: frozenset[int | str] | None = None
    channel: frozenset[int | str] | None = None
    position: frozenset[int | str] | None = None

    def __init__(
        self,
        name: str,
        package: Package | str | Path,
        reads: str = FRAME,
        settings: Mapping[str, Any] | None = None,
        *,
        normalise: Normalise = "per_frame",
        frozen_frames: int = 10,
        tile: int | None = None,
        rescale: bool = False,
        camera: str | Iterable[str] | None = None,
        channel: int | str | Iterable[int | str] | None = None,
        position: int | str | Iterable[int | str] | None = None,
    ) -> None:
        if not NAME.fullmatch(name) or name == FRAME:
            raise PipelineError(
                f"found a stage named {name!r}, expected letters, digits, - and _ beginning with a letter, and not "
                f"{FRAME!r}: rename it"
            )
        set_once = object.__setattr__
        set_once(self, "name", name)
        set_once(self, "package", package if isinstance(package, Package) else Package.load(package))
        set_once(self, "reads", reads)
        set_once(self, "settings", MappingProxyType({**self.package.settings, **(settings or {})}))
        set_once(self, "normalise", normalise)
        set_once(self, "frozen_frames", frozen_frames)
        set_once(self, "tile", tile)
        set_once(self, "rescale", rescale)
        for axis, wanted in (("camera", camera), ("channel", channel), ("position", position)):
            set_once(self, axis, _several(wanted))
        self._check()

    @property
    def chooses(self) -> bool:
        """Whether it depends on a frame's channel or position if the stage runs on it."""
        return self.channel is not None or self.position is not None

    def takes(self, frame: Frame) -> bool:
        """Whether it runs on a frame, as far as the frame's own camera, channel and position go."""
        return (
            (self.camera is None or frame.id.camera in self.camera)
            and (self.channel is None or bool(self.channel & _names(frame, "c")))
            and (self.position is None or bool(self.position & _names(frame, "p")))
        )

    def _check(self) -> None:
        try:
            json.dumps(dict(self.settings))
        except (TypeError, ValueError) as error:
            raise PipelineError(
                f"found settings of the stage {self.name!r} that are no plain values ({error}), expected numbers, "
                "texts and lists: convert NumPy's numbers with float()"
            ) from error
        steps = [step for tensor in (*self.package.inputs, *self.package.outputs) for step in tensor.steps]
        if decoded := [step.id for step in steps if is_decoder(step)]:
            raise PipelineError(
                f"found {self.package.name!r} with {', '.join(decoded)} after its network, expected steps that a graph "
                "can carry out: these are not decoded live yet"
            )
        if self.normalise not in get_args(Normalise):
            raise PipelineError(
                f"found normalise {self.normalise!r} of the stage {self.name!r}, expected one of "
                f"{', '.join(get_args(Normalise))}"
            )
        if self.frozen_frames < 1 or (self.tile is not None and self.tile < SMALLEST_TILE):
            raise PipelineError(
                f"found {self.frozen_frames} frozen frames and tiles of {self.tile} pixels for the stage "
                f"{self.name!r}, expected at least 1 and {SMALLEST_TILE}"
            )

    @property
    def request(self) -> StageRequest:
        """What its compilation is asked for."""
        return StageRequest(
            name=self.name,
            weights=self.package.weights.resolve(),
            weights_sha256=self.package.weights_sha256,
            package_sha256=self.package.package_sha256,
            inputs=self.package.inputs,
            outputs=self.package.outputs,
            reads=self.reads,
            settings=self.settings,
            normalise=self.normalise,
            frozen_frames=self.frozen_frames,
            tile=self.tile,
            rescale=self.rescale,
        )

    def message(self) -> dict[str, Any]:
        """All that the worker needs to know of the stage, as plain values.

        `choice` is the same for stages that run on the same frames, as far as their own channels and positions go;
        empty: on all.
        """
        choice = [wanted and sorted(map(repr, wanted)) for wanted in (self.channel, self.position)]
        return {**request_message(self.request), "choice": json.dumps(choice) if self.chooses else ""}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages in the order in which they run, on windows of frames.

    `window` is a Gather, or a number of consecutive frames (1: every frame by itself). `calibration` is the YAML of a
    camera's calibration, or a mapping of them by camera. `merge`: stages that run on the same frames are one graph, so
    that nothing returns to the host between them.
    """

    stages: tuple[Stage, ...]
    gather: Gather
    calibration: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    merge: bool = True

    def __init__(
        self,
        stages: Sequence[Stage],
        window: int | Gather = 1,
        *,
        calibration: str | Path | Mapping[str, str | Path] | None = None,
        merge: bool = True,
    ) -> None:
        object.__setattr__(self, "stages", tuple(stages))
        object.__setattr__(self, "gather", window if isinstance(window, Gather) else Gather.consecutive(window))
        object.__setattr__(self, "calibration", MappingProxyType(_by_camera(calibration)))
        object.__setattr__(self, "merge", merge)
        if not self.stages:
            raise PipelineError("found 0 stages, expected at least 1")
        for path in self.calibration.values():
            load_calibration(path)  # what is wrong with it is told before a camera runs
        images: dict[str, bool] = {FRAME: True}
        for stage in self.stages:
            if stage.name in images:
                raise PipelineError(f"found two stages named {stage.name!r}, expected different names: rename one")
            if not images.get(stage.reads):
                readable = ", ".join(name for name, image in images.items() if image)
                raise PipelineError(
                    f"found the stage {stage.name!r} reading {stage.reads!r}, expected one of {readable}: stages read "
                    "the raw frame or the image of an earlier stage"
                )
            before = next((each for each in self.stages if each.name == stage.reads), None)
            for axis in ("camera", "channel", "position"):
                mine, theirs = getattr(stage, axis), getattr(before, axis, None)
                # Of a channel or position one may say the name and the other the number.
                one_kind = len({type(each) for each in (mine or frozenset()) | (theirs or frozenset())}) == 1
                if mine and theirs and one_kind and not mine & theirs:
                    raise PipelineError(
                        f"found the stage {stage.name!r} for another {axis} than {stage.reads!r}, which it reads, "
                        "expected one in common: it would never run"
                    )
            axes = stage.package.outputs[0].axes
            images[stage.name] = not decoder(axes, stage.settings).columns

    @classmethod
    def load(cls, path: str | Path) -> Pipeline:
        """Read a pipeline's YAML; packages are found beside it, or among the shipped ones.

        Raises PipelineError with the line at fault, or PackageError.
        """
        from ._pipeline_file import read_pipeline

        return read_pipeline(Path(path))

    @property
    def window(self) -> int:
        """How many frames are one window."""
        return self.gather.length

    def options(self, camera: str) -> dict[str, Any]:
        """What the worker needs to know beside the stages, for frames of a camera, as plain values."""
        path = self.calibration.get(camera) or self.calibration.get(ANY)
        return {
            "gather": {"length": self.gather.length, "along": self.gather.along, "target": self.gather.target},
            "calibration": None if path is None else str(path),
            "merge": self.merge,
        }

    @property
    def images(self) -> list[str]:
        """Names of the stages that answer with an image; the others answer with a table of objects."""
        return [s.name for s in self.stages if not decoder(s.package.outputs[0].axes, s.settings).columns]

    def stages_of(self, camera: str) -> list[Stage]:
        """The stages that may run on a camera's frames."""
        taken: dict[str, Stage] = {}
        for stage in self.stages:
            if (stage.camera is None or camera in stage.camera) and (stage.reads == FRAME or stage.reads in taken):
                taken[stage.name] = stage
        return list(taken.values())


def _by_camera(calibration: str | Path | Mapping[str, str | Path] | None) -> dict[str, Path]:
    if calibration is None:
        return {}
    each = calibration if isinstance(calibration, Mapping) else {ANY: calibration}
    return {camera: Path(path).resolve() for camera, path in each.items()}


def _several(wanted: int | str | Iterable[int | str] | None) -> frozenset[int | str] | None:
    if wanted is None:
        return None
    return frozenset([wanted] if isinstance(wanted, (int, str)) else wanted)


def _names(frame: Frame, axis: str) -> set[int | str]:
    """Number and name of a frame's place on an axis of the acquisition."""
    names: set[int | str] = {frame.index.get(axis, 0)}
    if axis in frame.labels:
        names.add(frame.labels[axis])
    return names
