"""Whether a window's answers depend on the windows before it, and on which of them: those of its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .._host_stages import HostStage
from .._pipeline import Pipeline
from .._stage import Stage
from ._plan import Planned

Kind = Literal["alone", "place", "look", "all"]


@dataclass(frozen=True, slots=True)
class Lines:
    """`kind` "alone": each window stands by itself. "place": networks remember their place. "look": statistics or
    comparisons go on over all frames of one look. "all": track numbers go on over everything. `why` says it in words.
    """

    kind: Kind
    why: str = ""
    counts: bool = False
    """Whether statistics or comparisons go on from window to window."""

    @classmethod
    def of(cls, pipeline: Pipeline) -> Lines:
        """By the stages of a pipeline; the widest kind that one of them needs."""
        counts = next((why for stage in pipeline.networks if (why := _counting(stage))), "")
        for stage in pipeline.stages:
            if isinstance(stage, HostStage) and stage.remembers:
                return cls("all", f"{stage.name} gives numbers that are given once in a run", bool(counts))
        if counts:
            return cls("look", counts, True)
        for stage in pipeline.networks:
            if "state" in stage.settings:
                return cls("place", f"{stage.name} remembers the windows before")
        return cls("alone")

    def line(self, window: Planned) -> str:
        """The line of a window: its windows are computed one after the other. "": it stands alone."""
        if self.kind == "place":
            return f"{window.lane} {window.place}"
        return {"alone": "", "look": str(window.lane), "all": "all"}[self.kind]

    def begins(self, window: Planned) -> bool:
        """Whether nothing from before counts for this window of a line."""
        return self.kind == "place" and bool(window.message["reset"])


def _counting(stage: Stage) -> str:
    """Why a network's answer depends on how many windows came before, in words; "": it does not."""
    if stage.normalise in ("frozen", "running"):
        return f"{stage.name} is normalised with statistics of the windows before ({stage.normalise})"
    if stage.trust.mode != "off" and stage.trust.disagreement != "none":
        return f"{stage.name} compares two answers of every {stage.trust.every}th window"
    return ""
