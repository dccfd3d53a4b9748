"""The pipeline of a recording, made again from what its manifest says, and the engine that it ran on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..._crops_stage import Crops
from ..._errors import OnscopeError
from ..._frame import FrameSpec
from ..._host_stages import Measure
from ..._pipeline import Pipeline
from ..._selects import FRAME, AnyStage
from ..._stage import Stage
from ...graph import load_calibration
from ...package import Package
from ...windows import Gather
from ._packages import find_packages

PROVIDER = re.compile(r"[a-z][a-z0-9-]{0,31}")
NO_ENGINES = ("null", "scripted", "oracle")
"""What tests run on: never asked for by a recording."""
MOST_STAGES = 64


@dataclass(frozen=True)
class Rebuilt:
    """`pipeline` (None: there is none to be made), and `why` stages are not in it, by name."""

    manifest: Mapping[str, Any]
    pipeline: Pipeline | None
    why: Mapping[str, str] = field(default_factory=dict)

    def package(self, stage: str) -> Package | None:
        """The package of a stage; None: it has none."""
        assert self.pipeline is not None
        return next(getattr(each, "package", None) for each in self.pipeline.stages if each.name == stage)

    def lane(self, spec: FrameSpec) -> Mapping[str, Any]:
        """What the manifest says of the graphs for such frames; {}: nothing."""
        wanted = (spec.camera, list(spec.shape), spec.dtype, spec.axes)
        found: Mapping[str, Any] = {}
        for lane in self.manifest.get("lanes") or ():
            if isinstance(lane, Mapping) and tuple(map(lane.get, ("camera", "shape", "dtype", "axes"))) == wanted:
                found = lane
        return found

    def graphs(self, spec: FrameSpec) -> dict[str, str]:
        """The sha256 of the graph that each stage ran in."""
        return {
            str(stage): str(graph.get("sha256"))
            for graph in _mappings(self.lane(spec).get("graphs"))
            for stage in graph.get("stages") or ()
        }

    def provider(self, spec: FrameSpec) -> str:
        """The engine that ran them; "cpu" where it is none that is asked for by a recording."""
        names = {str(graph.get("provider")) for graph in _mappings(self.lane(spec).get("graphs"))}
        name = names.pop() if len(names) == 1 else ""
        return name if PROVIDER.fullmatch(name) and name not in NO_ENGINES else "cpu"

    @property
    def threads(self) -> int | None:
        threads = (self.manifest.get("runtime") or {}).get("threads")
        return threads if isinstance(threads, int) and 0 < threads <= 1024 else None


def rebuild(manifest: Mapping[str, Any], folders: Sequence[Path], spare: Path) -> Rebuilt:
    """Make the pipeline again, of the stages whose packages are found as they were.

    `spare` is an empty folder that stays for as long as the pipeline is used.
    """
    told = manifest.get("pipeline")
    if not isinstance(told, Mapping) or not isinstance(told.get("stages"), list):
        return Rebuilt(manifest, None, {"": "the recording does not say which pipeline ran"})
    packages, lacking = find_packages(manifest.get("packages") or {}, folders)
    stages: list[AnyStage] = []
    why: dict[str, str] = {}
    for entry in _mappings(told["stages"])[:MOST_STAGES]:
        name, sha256 = str(entry.get("name")), str(entry.get("package_sha256"))
        kind = entry.get("kind", "network")
        known = {FRAME, *(stage.name for stage in stages)}
        missing = [each for each in entry.get("inputs") or [entry.get("reads", FRAME)] if each not in known]
        if kind in ("track", "pairs"):
            why[name] = "tracks depend on all frames before: replay the recording with --compare"
        elif kind != "measure" and sha256 not in packages:
            why[name] = lacking.get(sha256, "the recording does not say which package it ran")
        elif missing:
            why[name] = f"it reads {missing[0]}, which cannot be computed"
        else:
            try:
                if kind == "measure":
                    stages.append(_measure(name, entry))
                elif kind == "crops":
                    stages.append(_crops(name, packages[sha256], entry, entry["precision"]))
                else:
                    stages.append(_stage(name, packages[sha256], entry, _precision(manifest, name, sha256)))
            except (OnscopeError, ValueError, TypeError, KeyError) as error:
                why[name] = f"it cannot be made again: {error}"
    try:
        gather = Gather(**{name: told["window"][name] for name in Gather.__dataclass_fields__})
        calibration = _calibration(told.get("calibration") or {}, spare)
        pipeline = Pipeline(stages, gather, calibration=calibration, merge=bool(told.get("merge", True)))
    except (OnscopeError, ValueError, TypeError, KeyError, AttributeError) as error:
        return Rebuilt(manifest, None, why or {"": f"the pipeline cannot be made again: {error}"})
    return Rebuilt(manifest, pipeline, why)


def _stage(name: str, package: Package, entry: Mapping[str, Any], precision: Any) -> Stage:
    return Stage(
        name,
        package,
        entry.get("reads", FRAME),
        entry.get("settings") or {},
        normalise=entry["normalise"],
        frozen_frames=int(entry["frozen_frames"]),
        tile=entry.get("tile"),
        rescale=bool(entry.get("rescale")),
        precision=precision or entry["precision"],
        trust="off",
        camera=entry.get("camera"),
        channel=entry.get("channel"),
        position=entry.get("position"),
    )


def _measure(name: str, entry: Mapping[str, Any]) -> Measure:
    choice: dict[str, Any] = {axis: entry.get(axis) for axis in ("camera", "channel", "position")}
    return Measure(name, entry["reads"], most=int(entry["most"]), **entry["settings"], **choice)


def _crops(name: str, package: Package, entry: Mapping[str, Any], precision: Any) -> Crops:
    crops = entry["crops"]
    return Crops(
        name,
        package,
        entry["reads"],
        reads=entry["image"],
        side=crops["side"],
        border=str(crops["border"]),
        masked=bool(crops["masked"]),
        normalise=str(entry["normalise"]),
        settings=entry.get("settings") or {},
        rescale=bool(entry["rescale"]),
        precision=precision,
        most=int(entry["most"]),
        **{axis: entry.get(axis) for axis in ("camera", "channel", "position")},
    )


def _precision(manifest: Mapping[str, Any], stage: str, sha256: str) -> str | None:
    """Which weights of a package ran, where the stage was to choose itself."""
    for image in manifest["images"]:
        origin = image.get("provenance")
        if image.get("stage") == stage and isinstance(origin, Mapping) and origin.get("package", sha256) == sha256:
            return str(origin.get("precision"))
    return None


def _calibration(told: Mapping[str, Any], spare: Path) -> dict[str, Path] | None:
    """The calibrations by camera: where they were, or from their text; raises OnscopeError when they are others."""
    found: dict[str, Path] = {}
    for number, (camera, entry) in enumerate(told.items()):
        written = spare / f"{number}.yaml"
        written.write_text(str(entry.get("yaml") or ""), encoding="utf-8")
        named = str(entry.get("file"))
        near = [] if named.startswith(("//", "\\")) or "\0" in named else [Path(named)]
        places = [path for path in (*near, written) if path.is_file()]
        for path in places:
            try:
                if load_calibration(path).sha256 == entry["sha256"]:
                    found[camera] = path
                    break
            except OnscopeError:
                continue
        else:
            raise OnscopeError(f"the calibration {entry.get('file')} was not found as it was")
    return found or None


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
