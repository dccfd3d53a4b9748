"""Rules held against the pipeline whose results they read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

from ..._crops_stage import Crops
from ..._errors import RuleError
from ..._host_stages import HostStage, Measure
from ..._pipeline import Pipeline
from ..._selects import FRAME, AnyStage
from ..._stage import Stage
from ._compile import Location, Read
from ._image_numbers import NUMBERS, is_image_number
from ._needs import Needs
from ._objects import OWN, TRACKED

ALWAYS = ("latency_ms", "began_anew")
OF_FRAMES = ("x_um", "y_um", "z_um", "exposure_ms")
OF_STAGES = ("count", "suspect")
TRACKERS = ("track", "pairs")


class Checked:
    """A pipeline's stages as rules see them. `where` tells the place of a location in the rule file."""

    def __init__(self, pipeline: Pipeline, where: Callable[[Location], str]) -> None:
        self.stages = {stage.name: stage for stage in pipeline.stages}
        self._where = where
        self.links = {
            stage.name: stage.of for stage in pipeline.stages if isinstance(stage, HostStage) and _links(stage)
        }

    def check(self, reads: Iterable[Read]) -> Needs:
        """What is needed of its results. Raises RuleError, with the line, for what is not in them."""
        tables: set[str] = set()
        numbers: set[str] = set()
        for read in reads:
            if read.of is not None:
                tables |= self._rows(read)
            if read.value in ("", "inside"):
                continue
            stage, dot, value = read.value.partition(".")
            if read.of is not None and not dot:
                self._own(read, read.of)
            elif read.of is not None and dot and stage in self.stages and self.stages[stage].gives == "table":
                tables |= self._other(read, stage, value)
            else:
                numbers |= self._number(read, stage, value)
                tables |= {stage} if value == "count" else set()
        return Needs(frozenset(tables), frozenset(numbers), self.links)

    def root(self, name: str) -> str:
        """The stage whose rows a stage's rows go back to."""
        return self.root(self.links[name]) if name in self.links else name

    def tracked(self, name: str) -> list[str]:
        """The stages that track the same objects."""
        return [
            each.name
            for each in self.stages.values()
            if isinstance(each, HostStage) and each.kind in TRACKERS and self.root(each.name) == self.root(name)
        ]

    def labels(self, name: str, at: Location) -> None:
        """Raise RuleError unless a stage answers with labels."""
        if name not in self.stages or self.stages[name].gives != "labels":
            told = [each.name for each in self.stages.values() if each.gives == "labels"]
            self._refuse(at, f"found labels: {name}, expected a stage with a label image ({_listed(told)})")

    def _rows(self, read: Read) -> set[str]:
        name = read.of or ""
        if name not in self.stages or self.stages[name].gives != "table":
            told = [each.name for each in self.stages.values() if each.gives == "table"]
            self._refuse(
                read.location, f"found the stage {name!r}, expected one that answers with rows ({_listed(told)})"
            )
        trackers = self.tracked(name)
        if (read.tracked or read.value in TRACKED) and not trackers:
            self._refuse(read.location, f"found no stage that tracks {name!r}, expected one: add `track: {name}`")
        chain = [name]
        while chain[-1] in self.links:
            chain.append(self.links[chain[-1]])
        return {*chain, *trackers}

    def _own(self, read: Read, name: str) -> None:
        columns = columns_of(self.stages[name])
        if columns is not None and read.value not in columns and read.value not in OWN:
            self._refuse(read.location, f"found {read.value!r}, expected a column of {name!r} ({_listed(columns)})")

    def _other(self, read: Read, stage: str, value: str) -> set[str]:
        if self.root(stage) != self.root(read.of or ""):
            self._refuse(read.location, f"found {stage!r}, expected a stage about the same objects as {read.of!r}")
        self._own(Read(stage, value, read.location), stage)
        return self._rows(Read(stage, "", read.location))

    def _number(self, read: Read, stage: str, value: str) -> set[str]:
        if stage == "result" and value in ALWAYS:
            return set()
        if stage == FRAME and value in OF_FRAMES:
            return set()
        if stage != FRAME and stage not in self.stages:
            told = _listed([FRAME, *self.stages])
            self._refuse(read.location, f"found {read.value!r}, expected a number of one of these: {told}")
        is_image = stage == FRAME or self.stages[stage].gives == "image"
        if is_image and is_image_number(value):
            return {read.value}
        if stage != FRAME and value in OF_STAGES:
            return set()
        trusted = _trust_values() if stage != FRAME and isinstance(self.stages[stage], Stage) else []
        if value.replace(" ", "_") in trusted:
            return set()
        known = [*(NUMBERS if is_image else OF_STAGES), *(["p99"] if is_image else []), *trusted]
        self._refuse(read.location, f"found {read.value!r}, expected one of {_listed(known)}")

    def _refuse(self, at: Location, words: str) -> NoReturn:
        raise RuleError(f"{self._where(at)}: {words}")


def columns_of(stage: AnyStage) -> list[str] | None:
    """Names of the columns of a stage's table; None where only its first answer tells."""
    if isinstance(stage, Measure):
        from ...objects import measured_columns

        return [name for name, _ in measured_columns(stage.intensity, stage.columns)]
    if isinstance(stage, HostStage) and stage.kind in TRACKERS:
        from ...track import TRACK

        return list(TRACK.names or ()) if stage.kind == "track" else None
    if isinstance(stage, Crops):
        from ...crops import plan_crops

        return [name for name, _ in plan_crops(stage.request, stage.crops).columns]
    return None


def _trust_values() -> list[str]:
    from ...trust import VALUES

    return [name.replace(" ", "_") for name in (*VALUES, "suspicion")]


def _links(stage: HostStage) -> bool:
    return not isinstance(stage, Measure)  # its rows are objects of an image


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "there is none"
