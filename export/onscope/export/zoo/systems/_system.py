"""What a system of the catalogue is: a network, how it is exported, trained, run live and measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onscope.export import Choices

from .._texts import Words
from ._score import Score

if TYPE_CHECKING:
    from torch import nn

    from .._tasks import Task


@dataclass(frozen=True, slots=True)
class Training:
    """How the shipped weights come about: `task` makes the network and its loss, of `python -m ...systems train`.

    `task` may take minutes (it simulates what is learned from) and is called after torch was seeded; `finish` is given
    the trained network, to set what is not learned (a temperature, thresholds).
    """

    task: Callable[[], Task]
    steps: int
    learning_rate: float = 3e-3
    finish: Callable[[nn.Module], object] | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """The run by which the system is shown to work: a pipeline file's text on a source of live frames.

    `pipeline` has "{package}" where the package's path stands and "{folder}" where that of all packages does;
    `source` is what `onscope run --source` takes.
    """

    pipeline: str
    source: str
    frames: int = 24


@dataclass(frozen=True, slots=True)
class Measured:
    """How good the network is: `scores` of the package in a folder over so many held-out seeds, and a picture of it."""

    scores: Callable[[Path, int], Sequence[Score]]
    picture: Callable[[Path, Path], object]
    about: str
    """What the held-out samples are, what is measured and how the baselines are made, for the package's README."""
    seeds: int = 5


@dataclass(frozen=True, slots=True)
class System:
    """One system. `key` is the package's name (`zoo/KEY`), lower case with hyphens.

    `network` makes it in the shipped width with fresh weights; `choices` say how it is exported (example, axes, steps,
    settings); name, texts, authors, licence and citation are those of `words` and need not be said there. Without a
    `training` the weights are seeded ones, and nothing is shipped. `cost_shape` is the frame (y, x) that the cost is
    measured at. Modules of systems import torch in functions alone: what runs live imports them too.
    """

    key: str
    network: Callable[[], nn.Module]
    choices: Callable[[], Choices]
    words: Words
    live: Live
    training: Training | None = None
    measured: Measured | None = None
    cost_shape: tuple[int, int] = (512, 512)
    window: int = 1
    """Frames of a window, for the cost."""

    def __post_init__(self) -> None:
        if self.words.folder != self.key:
            raise ValueError(f"found the folder {self.words.folder}, expected {self.key}: the package is named so")
        if (self.training is None) != (self.measured is None):
            raise ValueError(f"found {self.key} trained or measured alone, expected both or none")


def told(words: Words, choices: Choices, documentation: str) -> Choices:
    """The choices with the words of the system."""
    more: dict[str, Any] = {"settings": {**words.settings, **choices.settings}}
    return replace(
        choices,
        name=words.name,
        description=words.description,
        authors=["The onscope developers"],
        license="BSD-3-Clause",
        documentation=documentation,
        cite=words.cite,
        tags=words.tags,
        overwrite=True,
        **more,
    )
