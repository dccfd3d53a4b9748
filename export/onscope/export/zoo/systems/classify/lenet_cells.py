"""LeNet-5 on crops around nuclei: interphase, phases of mitosis, death."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from ...recipes import Part
from .._score import Score
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from ._classified import ABOUT_SVM, CROPS_ALONE, OF_CROPS, scores, told
from ._courses import CLASSES, SPECIMENS, courses
from ._features import PERCENTILES, SupportVectors, described
from ._nuclei_crops import PIXEL_UM, SIDE, crop_of

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "lenet-cells"
PER_SEED, PER_CLASS, LEARNED = 3, 20, 1000
"""Specimens of a seed, crops of a class in it at most, and crops that the support vector machine learns from."""
FIRST = 100
"""The first held-out specimen that is measured: the training was mended after those before it had been seen."""


def _network() -> nn.Module:
    from ...networks.classify import LeNet5

    return LeNet5(len(CLASSES))


def _task() -> Task:
    from ...networks.classify import LeNet5
    from ._lenet_task import LenetTask

    network = _network()
    assert isinstance(network, LeNet5)
    return LenetTask(network)


def _choices() -> Choices:
    light = courses(Part.VALIDATION, 1)["light"]
    frames = [crop_of(light[row, 0], np.random.default_rng(row), 50.0) for row in range(3)]
    return Choices(
        example=frames[0][None, None],
        pre=(percentiles(*PERCENTILES, ("y", "x")), cast("float32")),
        output_names=("classes",),
        output_axes=("bc",),
        fixed=True,
        frames=frames[1:],
        batches=True,
    )


def _crops(part: Part, first: int, count: int, each: int, rng: np.random.Generator, peak: float | None) -> Any:
    """Counts of at most `each` crops of every class of some specimens, and the numbers of their classes."""
    banks = [courses(part, 1, number) for number in range(first, first + count)]
    bank = {name: np.concatenate([one[name] for one in banks]) for name in ("light", "names")}
    return _chosen(bank, each, rng, peak)


def _chosen(
    bank: dict[str, Array], each: int, rng: np.random.Generator, peak: float | None
) -> tuple[list[Array], list[int]]:
    frames, names = [], []
    for name in range(len(CLASSES)):
        places = np.argwhere(bank["names"] == name)
        for row, time in places[rng.permutation(len(places))[:each]]:
            frames.append(crop_of(bank["light"][row, time], rng, peak))
            names.append(name)
    return frames, names


def _frames(seed: int, peak: float) -> tuple[list[Array], list[int]]:
    rng = np.random.default_rng((seed, round(peak)))
    frames, names = _crops(Part.HELD_OUT, FIRST + PER_SEED * seed, PER_SEED, PER_CLASS, rng, peak)
    return frames, names


@cache
def _machine() -> SupportVectors:
    """Taught with crops as the network is."""
    frames, names = _chosen(courses(Part.TRAINING, SPECIMENS), LEARNED // len(CLASSES), np.random.default_rng(0), None)
    order = np.random.default_rng(1).permutation(len(names))
    features = np.stack([described(one) for one in frames])
    return SupportVectors(features[order], np.array(names)[order].tolist(), len(CLASSES))


def _scores(folder: Path, seeds: int) -> list[Score]:
    return scores(_frames, seeds, partial(told, CROPS_ALONE, "phase", folder), _machine())


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for peak in (20.0, 100.0):
        frames, names = _frames(0, peak)
        said = told(CROPS_ALONE, "phase", folder, frames)
        chosen = [names.index(name) for name in sorted(set(names))]
        rows.append([Tile(CLASSES[names[n]], frames[n], f"told: {CLASSES[said[n]]}, {peak:g} photons") for n in chosen])
    sheet("LeNet-5 on held-out nuclei", rows, file)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="LeNet-5 as published, on crops around nuclei: interphase, phases of mitosis, or death",
        takes_and_gives=(
            f"uint16 crops (batch, 1, {SIDE}, {SIDE}) of labelled chromatin with pixels of {PIXEL_UM} um, the nucleus "
            "that is meant in the middle, each scaled so that its percentiles 1 and 99.8 become 0 and 1: a stage with "
            "`crops: cells, rescale: true, normalise: per_crop` behind a segmentation. The answer is float32 (batch, "
            f"{len(CLASSES)}): the probabilities of {', '.join(CLASSES)}, for classes that are equally frequent. "
            "60,000 weights: the smallest classifier here, and the fastest."
        ),
        recipe=(
            "The courses of `cnn-lstm-cells`, time by time: cultures of `onscope.specimen` with 30 to 70 % of the "
            "cells in mitosis and many that die, 60 specimens. Crops on pixels of 0.65 um, turned, mirrored and moved "
            "by about a pixel, with 3 to 100 photons in the brightest pixels, behind sCMOS sensors of many kinds; as "
            "many of each class in every batch of 32. Loss: cross entropy."
        ),
        limits=(
            "Trained on simulated cultures alone. It is here for what LeNet can do; `mitosis-cells` sees four times as "
            "many pixels, has calibrated probabilities, and tells classes better. Early prophase looks like "
            "interphase, one plate of an anaphase alone like a metaphase. Nuclei that the frame's border cuts look "
            "like plates: leave them out."
        ),
        cite=(
            {
                "text": "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document "
                "recognition, Proceedings of the IEEE 86, 2278 (1998)",
                "doi": "10.1109/5.726791",
            },
        ),
        tags=("classification", "mitosis", "nuclei", "fluorescence", "2d", "lenet", "cells"),
        settings={"decode": "classes", "classes": list(CLASSES), "pixel_um": PIXEL_UM},
    ),
    live=Live(OF_CROPS, "specimen:dividing-cells@nuclei"),
    training=Training(_task, steps=8000, learning_rate=2e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on crops of specimens that training never saw, three for each seed and at "
            "most twenty crops of each class and light level; mean and standard deviation over the seeds. " + ABOUT_SVM
        ),
    ),
)
