"""A reprocessing before anything is computed: its frames, pipeline, engine, windows, and the hash of them all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from .._admission import Admission, block
from .._errors import PipelineError
from .._ledger import Ledger
from .._pipeline import Pipeline
from .._result import Provenance, Result, Stamps
from ..engines import listed
from ..record import describe_pipeline, versions
from ..record.compare import as_recorded
from ..record.provenance import RECKONING
from ..record.reprocessed import FrameTable, frames_of
from ._chunks import Chunk, Chunks
from ._lines import Lines
from ._plan import Planned, Planner

Describe = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Opens a look of frames somewhere, and says what came of it."""
Place = Callable[[Result, str, Any], tuple[str, list[int]]]
NO_STAMPS = Stamps(0, 0, 0, 0, 0, MappingProxyType({}), 0, 0)
WINDOWS = 32
"""Windows of a chunk, where nobody says another number."""


@dataclass
class Job:
    """`windows` "recorded": those that ran then, where the recording has results of windows that are gathered alike;
    "all": whatever the frames give. `threads` of each worker's engine. Raises PipelineError, RecordError.
    """

    frames: FrameTable
    pipeline: Pipeline
    provider: str
    threads: int | None
    length: int
    admission: Admission
    lines: Lines
    looks: list[dict[str, Any]] = field(default_factory=list)
    """By number of a look of frames: its `message` to workers, and what `describe` said."""

    @classmethod
    def of(
        cls,
        recording: Path,
        pipeline: Pipeline | str | Path,
        kept: Path,
        *,
        provider: str | None = None,
        threads: int | None = 1,
        chunk: int = WINDOWS,
        windows: str = "recorded",
        progress: Callable[[str, int, int], object] = lambda *_: None,
    ) -> Job:
        """From what a user says; `kept` is where the list of frames of a foreign data set is kept."""
        if chunk < 1 or windows not in ("recorded", "all"):
            raise PipelineError(
                f"found chunks of {chunk} windows and windows={windows!r}, expected at least 1 and recorded or all"
            )
        given = pipeline if isinstance(pipeline, Pipeline) else Pipeline.load(pipeline)
        asked = listed(provider or given.provider or "auto")
        frames = frames_of(recording, kept, progress)
        admission = _as_then(frames, given) if windows == "recorded" else None
        settled = given.on(asked)
        return cls(frames, settled, asked, threads, chunk, admission or block(), Lines.of(settled))

    @property
    def key(self) -> str:
        """Of everything that answers depend on but the compiled graphs, which each chunk's key has."""
        said = [self.frames.sha256, self._depends, self.length, self.which]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()

    @property
    def which(self) -> str:
        """Which windows: "recorded" or "all"."""
        return "all" if self.admission.only is None else "recorded"

    @cached_property
    def _depends(self) -> dict[str, Any]:
        told = describe_pipeline(self.pipeline)
        there = versions()
        return {
            "pipeline": {name: each for name, each in told.items() if name not in ("file", "yaml")},
            "provider": self.provider,
            "threads": self.threads,
            "versions": {name: there[name] for name in RECKONING if name in there},
        }

    @property
    def facts(self) -> dict[str, Any]:
        """What the manifest says of how it ran."""
        told = {"worker": "dask", "provider": self.provider, "threads": self.threads}
        return {"runtime": told | {"admission": self.admission.described()}}

    def chunks(self, describe: Describe, place: Place, ledger: Ledger) -> Iterator[Chunk]:
        """All chunks, planned as they are asked for; the looks of frames are opened when the first one comes."""
        planner = Planner(self.pipeline, self.admission, ledger)

        @cache  # asked for with each chunk
        def graphs(number: int) -> str:
            look = self.looks[number]
            used = [[graph["sha256"], graph["provider"]] for graph in look["graphs"]]
            return json.dumps([self._depends, look["message"]["spec"], used], sort_keys=True, default=str)

        def where(window: Planned) -> dict[str, tuple[str, list[int]]]:
            while len(self.looks) <= window.lane:
                self._open(planner, len(self.looks), describe)
            return self._place(window, place)

        yield from Chunks(self.lines, self.length, where, graphs).cut(planner.windows(self.frames.rows()))

    def telling(self, folder: Path) -> dict[str, Any]:
        """What workers must know of all chunks, as plain values; `folder` is where their images are."""
        labels = [stage.name for stage in self.pipeline.stages if stage.gives == "labels"]
        told = {"kind": self.lines.kind, "counts": self.lines.counts}
        return {**told, "reading": self.frames.reading, "folder": str(folder), "labels": labels}

    def _open(self, planner: Planner, number: int, describe: Describe) -> None:
        spec = planner.specs[number]
        message = {**self.pipeline.opening(spec, self.provider, self.threads), "ways": [], "frozen": []}
        told = describe(message)
        settled = {**message, "provider": told["provider"]}
        self.looks.append({**told, "message": settled, "camera": spec.camera})

    def _place(self, window: Planned, place: Place) -> dict[str, tuple[str, list[int]]]:
        look = self.looks[window.lane]
        chosen = window.message["stages"]
        found = {}
        for number, answer in enumerate(look["answers"]):
            if answer["columns"] or (chosen is not None and number not in chosen):
                continue
            shape = tuple(answer["shape"])
            dummy = np.broadcast_to(np.zeros((), answer["dtype"]), shape)
            scale = shape[answer["axes"].index("y")] / look["message"]["spec"]["shape"][0]
            result = Result(
                (window.own.frame,),
                {answer["stage"]: dummy},
                NO_STAMPS,
                provenance_of(look),
                scales={answer["stage"]: scale},
            )
            found[answer["stage"]] = place(result, answer["stage"], window.own.place)
        return found


def provenance_of(look: Mapping[str, Any]) -> dict[str, Provenance]:
    """Where the answers of a look of frames come from, by stage."""
    stages = {stage["name"]: stage for stage in look["message"]["stages"]}
    return {
        answer["stage"]: Provenance(
            stages[answer["stage"]]["package_sha256"],
            answer["graph"],
            answer["provider"],
            stages[answer["stage"]].get("precision", "float32"),
        )
        for answer in look["answers"]
    }


def _as_then(frames: FrameTable, pipeline: Pipeline) -> Admission | None:
    """The windows of the account, where the recording has some that are gathered as the pipeline gathers them."""
    told = frames.manifest.get("pipeline")
    window = told.get("window") if isinstance(told, Mapping) else None
    gather = describe_pipeline(pipeline)["window"]
    if window != gather or "results" not in frames.manifest.get("tables", ()):
        return None
    return as_recorded(frames.path)


def lane_told(message: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """What workers must know to open a look of frames as the first one did."""
    return {"message": {**message, "provider": answer["provider"]}, "graphs": answer["graphs"]}
