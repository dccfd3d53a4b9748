"""What the view asks of a pipeline, of one that ran before: its packages need not be here any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Gives = Literal["image", "labels", "table"]


@dataclass(frozen=True, slots=True)
class ShownPackage:
    """A package by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class ShownStage:
    """A stage by what it gave: an "image", "labels" or a "table", made of its `inputs`; `sha256` of its package."""

    name: str
    gives: Gives = "image"
    inputs: tuple[str, ...] = ("frame",)
    named: str | None = None
    sha256: str | None = None

    @property
    def package(self) -> ShownPackage | None:
        return None if self.named is None else ShownPackage(self.named)


@dataclass(frozen=True, slots=True)
class ShownPipeline:
    """The stages of a run that was."""

    stages: tuple[ShownStage, ...] = ()

    @property
    def networks(self) -> tuple[ShownStage, ...]:
        """None that runs."""
        return ()
