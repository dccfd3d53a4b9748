"""Phases of mitosis in crops around nuclei: the shipped package `mitosis-cells`, beside a machine on intensities."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices

from ..._crops import NAMES, Crop
from ..._crops_recipes import DIVIDING, DYING
from ..._mitosis_quality import PER_COUNT, held_out
from ..._mitosis_texts import MITOSIS_WORDS
from ...recipes import Part, gather
from .._score import Score
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from ._classified import CROPS_ALONE, OF_CROPS, SVM, told, told_scores
from ._features import SupportVectors, described

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
FIRST, COUNT = 1000, 3
"""The first held-out specimen (the README's tables are of those before it), and how often `PER_COUNT` make a seed."""
TAUGHT = 60
"""Specimens that the support vector machine learns from."""
PER_CLASS = 40
"""Crops of a class, at most, in a seed."""


def _network() -> nn.Module:
    from ...mitosis import Mitosis

    return Mitosis()


def _task() -> Task:
    from ..._mitosis_task import MitosisTask

    return MitosisTask()


def _choices() -> Choices:
    from ..._mitosis_package import choices

    return choices()


@cache
def _held(seed: int) -> list[Crop]:
    """Crops of cultures a third of which die, of each class at most `PER_CLASS`."""
    first = FIRST + PER_COUNT * COUNT * seed
    found, rng = held_out("eventful", COUNT, first), np.random.default_rng(first)
    kept: list[Crop] = []
    for name in range(len(NAMES)):
        there = [one for one in found if one.name == name]
        kept += [there[place] for place in rng.permutation(len(there))[:PER_CLASS]]
    return kept


@cache
def _machine() -> SupportVectors:
    found = list(gather(DIVIDING, Part.TRAINING, TAUGHT)) + list(gather(DYING, Part.TRAINING, TAUGHT // 3))
    order = np.random.default_rng(1).permutation(len(found))[:1000]
    features = np.stack([described(found[place].pixels) for place in order])
    return SupportVectors(features, [found[place].name for place in order], len(NAMES))


def _scores(folder: Path, seeds: int) -> list[Score]:
    network, machine, rows = partial(told, CROPS_ALONE, "phase", folder), _machine(), []
    for seed in range(seeds):
        crops = [one.pixels for one in _held(seed)]
        names = [one.name for one in _held(seed)]
        by_machine = machine(np.stack([described(one) for one in crops])).tolist()
        rows.append({"network": (network(crops), names), SVM: (by_machine, names)})
    return told_scores("eventful cultures", rows)


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for seed in range(3):
        found = _held(seed)
        said = told(CROPS_ALONE, "phase", folder, [one.pixels for one in found])
        places = [next((n for n, one in enumerate(found) if one.name == name), None) for name in range(len(NAMES))]
        rows.append(
            [Tile(NAMES[found[n].name], found[n].pixels, f"told: {NAMES[said[n]]}") for n in places if n is not None]
        )
    sheet("Phases of held-out nuclei", rows, file)


SYSTEM = System(
    key=MITOSIS_WORDS.folder,
    network=_network,
    choices=_choices,
    words=MITOSIS_WORDS,
    live=Live(OF_CROPS, "specimen:dividing-cells@nuclei"),
    training=Training(_task, steps=4500),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on crops of cultures that training never saw, twelve of them for each seed, "
            f"at most {PER_CLASS} of each class; mean and standard deviation over the seeds. Beside it a least-squares "
            "support vector machine with Gaussian kernels (Suykens 1999) on 17 numbers that describe intensities, "
            "taught with 1000 crops of the network's training."
        ),
    ),
)
