"""StarDist on nuclei: the shipped package `nuclei-cells`, beside U-Net and what needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from onscope.export import Choices

from ... import PACKAGES
from ..._nuclei_texts import NUCLEI_WORDS
from .._score import Score
from .._system import Live, Measured, System, Training
from . import unet_cells
from ._measured import ABOUT, USUAL, Finder, best_watershed, live, scores
from ._picture import picture

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

PIPELINE = """schema: 1
stages:
  nuclei: {package: "{package}"}
  cells: {measure: nuclei, intensity: [frame]}
"""
UNET = "U-Net + watershed"


def _network() -> nn.Module:
    from ...stars_nuclei import StarsNuclei

    return StarsNuclei()


def _task() -> Task:
    from ..._nuclei_task import NucleiTask

    return NucleiTask()


def _choices() -> Choices:
    from ..._nuclei_package import choices

    return choices()


def _finders(folder: Path) -> dict[str, Finder]:
    """The network's package in `folder`; the U-Net's beside it, or else the shipped one."""
    beside = folder.parent / unet_cells.KEY
    unet = live(unet_cells.PIPELINE, "nuclei", beside if beside.is_dir() else PACKAGES / unet_cells.KEY)
    return {"network": live(PIPELINE, "nuclei", folder), UNET: unet, USUAL: best_watershed}


def _scores(folder: Path, seeds: int) -> list[Score]:
    return scores(_finders(folder), seeds)


def _picture(folder: Path, file: Path) -> None:
    found = _finders(folder)
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
