"""Shipped demonstrations: a pipeline, the specimen that it is shown on, and what is to be seen."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from rich.table import Table

from onscope.runtime import PipelineError
from onscope.runtime.checked_yaml import read_checked

GROUP = "onscope.demos"
INDEX = "demos.yaml"
Text = Annotated[str, Field(min_length=1, max_length=300)]
Word = Annotated[str, Field(min_length=1, max_length=100)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]


class Demo(BaseModel):
    """One demonstration: `system` is whose work it shows, `seen` one sentence; the rest are options of the specimen."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    system: Text = Field(description="the published system, with its authors and year")
    seen: Text = Field(description="one sentence of what is to be seen")
    scenario: Word = Field(description="a scenario of the specimen")
    frames: int = Field(ge=1, le=10_000, description="frames to take, of all channels, planes and phases together")
    channel: Word | None = Field(None, description="the channel; not stated: as of `onscope demo --specimen`")
    channels: Annotated[list[Word], Field(min_length=2, max_length=8)] | None = Field(None, description="in turn")
    planes: int | None = Field(None, ge=2, le=999, description="of a stack")
    step_um: float | None = Field(None, gt=0, allow_inf_nan=False, description="between planes")
    z_um: float | None = Field(None, allow_inf_nan=False, description="the middle of the planes, of all channels")
    flat: Annotated[list[Word], Field(min_length=1, max_length=8)] | None = Field(
        None, description="channels of which the middle plane alone is taken"
    )
    phases: int | None = Field(None, ge=1, le=81, description="raw images of structured light; not stated: all")
    against: Word | None = Field(None, description="what the network is to find: a channel, or fine")
    lapse: float | None = Field(None, ge=1, allow_inf_nan=False, description="times as fast as the clock")
    size: int | None = Field(None, ge=32, le=4096, description="rows and columns at most")
    exposure_ms: float | None = Field(None, gt=0, allow_inf_nan=False, description="not stated: the channel's own")
    seed: int | None = Field(None, ge=0, description="not stated: the scenario's own")

    @property
    def options(self) -> dict[str, Any]:
        """Of the driver `specimen`, those that are stated."""
        told = self.model_dump(exclude={"system", "seen", "scenario", "frames"}, exclude_none=True)
        return {name: "+".join(value) if isinstance(value, list) else value for name, value in told.items()}

    @property
    def taken(self) -> str:
        """What is taken of the scenario, in words."""
        words = " + ".join(self.channels or [self.channel or ""])
        if self.planes:
            words += f", {self.planes} planes"
        if self.phases:
            words += f", {self.phases} phases"
        return words.removeprefix(", ")


class _Index(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    schema_: int = Field(alias="schema", ge=1, le=1, description="version of this format")
    demos: dict[Name, Demo]


def shipped() -> dict[str, tuple[Path, Demo]]:
    """By name, the pipeline's file and what it is shown on: of all folders that the entry points `onscope.demos` name.

    Raises PipelineError for an index that is not as it should be, a pipeline without an entry, and the other way round.
    """
    found: dict[str, tuple[Path, Demo]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        for name, demo in read_index(Path(str(point.load()))).items():
            if name in found:
                raise PipelineError(
                    f"found two demonstrations named {name}, {found[name][0]} and another of {point.name}, expected "
                    "one: rename it, or remove one of the two packages"
                )
            found[name] = demo
    return found


def read_index(folder: Path) -> dict[str, tuple[Path, Demo]]:
    """The same of one folder."""
    index = read_checked(folder / INDEX, _Index, "index of demonstrations").model.demos
    there = {path.stem for path in folder.glob("*.yaml")} - {Path(INDEX).stem}
    if odd := sorted(there ^ set(index)):
        lacks = "a pipeline" if odd[0] in index else f"an entry in {INDEX}"
        raise PipelineError(
            f"found {odd[0]} in {folder} without {lacks}, expected both: add the one, or remove the other"
        )
    return {name: (folder / f"{name}.yaml", demo) for name, demo in index.items()}


def chosen(pipeline: str) -> tuple[Path, Demo | None]:
    """The pipeline of a shipped demonstration's name, or of a path (None: no demonstration).

    A file that is there counts before a name. Raises PipelineError, with all names, for what is neither.
    """
    path = Path(pipeline)
    if path.is_file() or path.suffix or path.name != pipeline:
        return path, None
    known = shipped()
    if pipeline not in known:
        raise PipelineError(
            f"found the pipeline {pipeline!r}, expected the path of a YAML file, or one of {', '.join(known) or 'none'}"
            ": `onscope demo --list` says what they show"
        )
    return known[pipeline]


def table() -> Table:
    """All demonstrations, a row each."""
    told = Table(box=None, header_style="dim", padding=(0, 2), pad_edge=False)
    for column in ("name", "system", "specimen", "what is to be seen"):
        told.add_column(column, overflow="fold")
    for name, (_, demo) in shipped().items():
        what = f"{demo.scenario}{': ' if demo.taken else ''}{demo.taken}"
        told.add_row(f"[bold]{name}[/]", demo.system, what, demo.seen)
    return told
