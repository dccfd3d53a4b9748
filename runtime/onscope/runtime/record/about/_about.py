"""All that a person may ask of a recording, in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from ...worker import HOST
from .._manifest import read_manifest
from ..recorder import merge_state, read_frames, read_state
from ._facts import PackageFacts, RunFacts, facts_of
from ._images import ImageAbout, images_of, nbytes_of
from ._tables import distinct, latency_of, ledger_of, table_of, values_of

Spread = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StageAbout:
    """One stage: its package, what really ran it, how many answers it gave, and its time in ms (percentiles).

    `kind` is "network", or that of a stage of the host: "measure", "track" or "crops".
    """

    name: str
    kind: str
    reads: str
    package: str
    version: str | None
    licence: str | None
    forced: bool
    package_sha256: str
    graph_sha256: str
    provider: str
    precision: str
    normalise: str
    answers: int
    ms: Spread


@dataclass(frozen=True, slots=True)
class About:
    """A recording; times in ms where a name says so, sizes in bytes, counts in frames.

    `ledger` is None where the account was not written: the run is under way, or was cut off. `seconds` from the first
    frame (or result) to the last. `latency_ms` are percentiles of the whole way, `steps_ms` of its steps; `trust` and
    `parameters` say where the values of a stage lie.
    """

    folder: Path
    facts: RunFacts
    seconds: float | None
    frames: int
    results: Mapping[str, int]
    ledger: Mapping[str, Mapping[str, int]] | None
    images: tuple[ImageAbout, ...]
    tables: Mapping[str, int]
    links: tuple[Mapping[str, Any], ...]
    stages: tuple[StageAbout, ...]
    latency_ms: Spread
    steps_ms: Mapping[str, Spread]
    trust: Mapping[str, Mapping[str, Spread]]
    parameters: Mapping[str, Mapping[str, Spread]]
    exposures_ms: tuple[float, ...]
    nbytes: int

    @property
    def counts(self) -> dict[str, int]:
        """Frames by state; of a run without its account those that have a result."""
        if self.ledger is None:
            return dict(self.results)
        return {state: sum(reasons.values()) for state, reasons in self.ledger.items()}

    def package_of(self, stage: str) -> PackageFacts | None:
        """The package that a stage ran, where the recording describes it."""
        found = next((each.package_sha256 for each in self.stages if each.name == stage), "")
        return self.facts.packages.get(found)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values that JSON can hold."""
        plain = asdict(self) | {"folder": str(self.folder), "facts": self.facts.model_dump(mode="json")}
        plain["counts"] = self.counts
        plain["images"] = [asdict(image) | {"missing": image.missing} for image in self.images]
        return plain


def about(folder: str | Path, *, whole: bool = True) -> About:
    """Look at a recording: complete, under way or cut off. Raises RecordError when it is none, or cannot be read.

    Not `whole`: without the sizes of files and the tables of values and objects, which take a while for a long run.
    """
    folder = Path(folder)
    state = read_state(folder)  # first: once it is gone, the manifest has all
    manifest = read_manifest(folder)
    merge_state(state, manifest)
    facts = facts_of(manifest, folder)
    frames = read_frames(folder, manifest.get("keep"))
    results = table_of(folder, "results")
    latency, steps = ({}, {}) if results is None else latency_of(results)
    names = dict.fromkeys((*(stage.name for stage in facts.pipeline.stages), *manifest["tables"], "values"))
    others = {name: table_of(folder, name) for name in names if whole and name not in ("frames", "results")}
    tables = {"frames": frames, "results": results, **others}
    return About(
        folder=folder,
        facts=facts,
        seconds=_seconds(frames, results),
        frames=frames.num_rows,
        results={} if results is None else _count(results["state"].to_pylist()),
        ledger=ledger_of(folder),
        images=tuple(images_of(folder, manifest["images"], frames, results, sizes=whole)),
        tables={name: table.num_rows for name, table in tables.items() if table is not None},
        links=tuple(manifest.get("links", ())),
        stages=tuple(_stage(stage, facts, results, steps) for stage in facts.pipeline.stages),
        latency_ms=latency,
        steps_ms=steps,
        trust=values_of(tables.get("values"), "trust"),
        parameters=values_of(tables.get("values"), "parameter"),
        exposures_ms=tuple(distinct(frames, "exposure_ms")),
        nbytes=nbytes_of(folder) if whole else 0,
    )


def _stage(stage: Any, facts: RunFacts, results: Any, steps: Mapping[str, Spread]) -> StageAbout:
    graph = next((graph for lane in facts.lanes for graph in lane.graphs if stage.name in graph.stages), None)
    package = facts.packages.get(stage.package_sha256 or "")
    column = f"stage {stage.name}_ms"
    ran = 0 if results is None or column not in results.column_names else len(results) - results[column].null_count
    return StageAbout(
        name=stage.name,
        kind=stage.kind,
        reads=stage.reads,
        package=stage.package,
        version=None if package is None else package.version,
        licence=stage.licence if package is None else package.licence,
        forced=package is not None and package.forced,
        package_sha256=stage.package_sha256 or "",
        graph_sha256="" if graph is None else graph.sha256,
        provider=(HOST if stage.kind in ("measure", "track") else "") if graph is None else graph.provider,
        precision=stage.precision or "",
        normalise=stage.normalise or "",
        answers=ran,
        ms=steps.get(f"stage {stage.name}", {}),
    )


def _seconds(frames: Any, results: Any) -> float | None:
    table = frames if frames.num_rows else results
    if table is None or table.num_rows == 0:
        return None
    ends = pc.min_max(table["received_ns"]).as_py()
    return None if ends["min"] is None else float((ends["max"] - ends["min"]) / 1e9)


def _count(states: list[str]) -> dict[str, int]:
    return {state: states.count(state) for state in dict.fromkeys(states)}
