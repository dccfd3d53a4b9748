"""The frames and results of a recording, by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from types import MappingProxyType
from typing import Any

from onscope.runtime import ClockPair, Frame, FrameId, Provenance, RecordError, Result, Stamps
from onscope.runtime.record import RecordedRun, is_recording, open_recording

from ._shown import Gives, ShownStage
from ._tables import Rows, ids_of, stages_of_objects, values_by_frame

STEPS = ("receive", "submit", "queue", "handoff")


class Recorded:
    """`recorded[n]` is what came of the raw frame number `n` (from 0, in the order in which they were saved).

    A frame without a result has no answers. The frames of a reprocessed recording are those of the one that it was
    computed from. Times are those of the recording, on this machine's clock of today.
    Raises RecordError where there is no recording, or none that holds raw frames.
    """

    def __init__(self, folder: Path) -> None:
        self.run: RecordedRun = open_recording(folder)
        self.name = folder.resolve().name
        self._raw = self.run if len(self.run) else _computed_from(self.run)
        if not len(self._raw):
            why = "they were saved elsewhere: give that" if self.run.links else "the run ended before the first one"
            raise RecordError(f"found no raw frames in {folder}, expected at least one to show: {why}")
        self._results: Any = self.run.table("results") if "results" in self.run.manifest["tables"] else None
        self._rows = {} if self._results is None else {who: row for row, who in enumerate(ids_of(self._results))}
        then, now = ClockPair(**self.run.manifest["clock"]), ClockPair.take()
        self._shift = (then.wall_ns - then.monotonic_ns) - (now.wall_ns - now.monotonic_ns)
        self._received = self._raw.table("frames")["received_ns"].to_pylist()

    def __len__(self) -> int:
        return len(self._raw)

    def __getitem__(self, number: int) -> Result:
        frame = self._raw.frame(number)
        frame = replace(frame, received_ns=frame.received_ns + self._shift)
        row = self._rows.get(frame.id)
        told: dict[str, Any] = {} if row is None else self._results.slice(row, 1).to_pylist()[0]
        answers: dict[str, Any] = {}
        for stage in self.stages:
            if told.get(f"{stage.name}_index") is not None and row is not None:
                answers[stage.name] = self.run.answer(stage.name, row)
            elif told.get(f"stage {stage.name}_ms") is not None and stage.name in self._objects:
                answers[stage.name] = self._objects[stage.name].of(frame.id)
        for array in answers.values():
            array.flags.writeable = False
        return Result(
            (frame,),
            MappingProxyType(answers),
            self._stamps(frame, told),
            self.provenance,
            "late" if told.get("state") == "late" else "done",
            self._scales,
            parameters=self._parameters.get(frame.id, {}),
            trust=self._trust.get(frame.id, {}),
        )

    def seconds(self, number: int) -> float:
        """When a frame was received, in seconds from the first one on."""
        return float(self._received[number] - self._received[0]) / 1e9

    @cached_property
    def stages(self) -> tuple[ShownStage, ...]:
        """The stages whose answers are there, in the order of the pipeline."""
        told = self.run.manifest.get("pipeline")
        known = told.get("stages") if isinstance(told, dict) else None
        plans = {each["name"]: each for each in known or () if isinstance(each, dict) and "name" in each}
        images = {str(each.stage): each for each in self.run.images.values() if each.role == "derived"}
        order = [*plans, *(name for name in (*images, *self._objects) if name not in plans)]
        found = []
        for name in order:
            plan: Mapping[str, Any] = plans.get(name, {})
            reads = plan.get("reads", "frame")
            inputs = (reads,) if isinstance(reads, str) else tuple(map(str, reads))
            gives: Gives = "labels" if name in images and images[name].labels else "image"
            if name in self._objects:
                gives = "table"
            if name in images or name in self._objects:
                found.append(ShownStage(name, gives, inputs, plan.get("package"), plan.get("package_sha256")))
        return tuple(found)

    @property
    def providers(self) -> dict[str, str]:
        """Which provider ran each stage, as far as it was recorded."""
        return {stage: each.provider for stage, each in self.provenance.items()}

    @cached_property
    def provenance(self) -> Mapping[str, Provenance]:
        """What made the answers of each stage: package, graph, provider."""
        plans = {stage.name: stage for stage in self.stages}
        found = {}
        for lane in self.run.manifest.get("lanes", ()):
            for graph in lane.get("graphs", ()):
                for name in graph.get("stages", ()):
                    if name in plans:
                        package, made = plans[name].sha256 or "", str(graph.get("sha256"))
                        found[str(name)] = Provenance(package, made, str(graph.get("provider")))
        return found

    @cached_property
    def _objects(self) -> dict[str, Rows]:
        return {name: Rows(self.run.table(name)) for name in stages_of_objects(self.run)}

    @cached_property
    def _scales(self) -> dict[str, float]:
        return {str(each.stage): each.scale for each in self.run.images.values() if each.role == "derived"}

    @cached_property
    def _parameters(self) -> dict[FrameId, dict[str, dict[str, float]]]:
        return values_by_frame(self.run, "parameter")

    @cached_property
    def _trust(self) -> dict[FrameId, dict[str, dict[str, float]]]:
        return values_by_frame(self.run, "trust")

    def _stamps(self, frame: Frame, told: Mapping[str, Any]) -> Stamps:
        """The way of the result as its row tells it; all at once where there is none."""
        first = told["received_ns"] + self._shift if told else frame.received_ns
        passed = (round(1e6 * (told.get(f"{step}_ms") or 0.0)) for step in STEPS)
        _, submitted, copied, sent, started = accumulate(passed, initial=first)
        begin, spans, known = started, {}, dict[float, tuple[int, int]]()
        for stage in self.stages:
            ms = told.get(f"stage {stage.name}_ms")
            if ms is not None and ms not in known:  # stages of one graph have its whole time each
                known[ms] = (begin, begin := begin + round(1e6 * ms))
            if ms is not None:
                spans[stage.name] = known[ms]
        finished = begin + round(1e6 * (told.get("worker_ms") or 0.0))
        delivered = told["delivered_ns"] + self._shift if told else finished
        return Stamps(first, submitted, copied, sent, started, spans, finished, delivered)


def _computed_from(run: RecordedRun) -> RecordedRun:
    """The recording that has the raw frames of a reprocessed one; the run itself where there is none."""
    if "reprocessed" in run.manifest:
        for link in run.links:
            if link.path is not None and is_recording(link.path):
                return open_recording(link.path)
    return run
