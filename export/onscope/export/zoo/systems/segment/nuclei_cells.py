"""StarDist on nuclei: the shipped package `nuclei-cells`, beside U-Net and what needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from onscope.export import Choices

from ..._nuclei_texts import NUCLEI_WORDS
from .._score import Score
from .._system import Live, Measured, System, Training
from ._measured import ABOUT, beside_unet, scores
from ._picture import picture

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

PIPELINE = """schema: 1
stages:
  nuclei: {package: "{package}"}
  cells: {measure: nuclei, intensity: [frame]}
"""


def _network() -> nn.Module:
    from ...stars_nuclei import StarsNuclei

    return StarsNuclei()


def _task() -> Task:
    from ..._nuclei_task import NucleiTask

    return NucleiTask()


def _choices() -> Choices:
    from ..._nuclei_package import choices

    return choices()


def _scores(folder: Path, seeds: int) -> list[Score]:
    return scores(beside_unet(PIPELINE, "nuclei", folder), seeds)


def _picture(folder: Path, file: Path) -> None:
    found = beside_unet(PIPELINE, "nuclei", folder)
    picture("StarDist on held-out nuclei", {"StarDist": found.pop("network"), **found}, file)


SYSTEM = System(
    key=NUCLEI_WORDS.folder,
    network=_network,
    choices=_choices,
    words=NUCLEI_WORDS,
    live=Live(PIPELINE, "specimen:dividing-cells@nuclei"),
    training=Training(_task, steps=6000, learning_rate=2e-3),
    measured=Measured(_scores, _picture, about=ABOUT),
)
