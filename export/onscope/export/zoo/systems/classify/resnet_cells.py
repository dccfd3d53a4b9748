"""ResNet-18 on frames of one label: which structure of the cells it is on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, percentiles
from onscope.runtime.package import make_step

from ..._texts import Words
from ...recipes import Part
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from ._features import PERCENTILES, SupportVectors, described
from ._patterns import NAMES, SEEN, SPECIMENS, patterns, seen

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "resnet-cells"
DEPTH, WIDTH = 18, 12
PEAKS = (5.0, 20.0, 100.0)
"""Photons of the brightest pixels of held-out frames."""
CORNERS = ((0, 0), (0, SEEN), (SEEN, 0), (SEEN, SEEN))
PER_SEED, LEARNED = 2, 1000
"""Specimens of a seed, and frames that the support vector machine learns from."""
SVM = "SVM on intensity features"
PIPELINE = """schema: 1
stages:
  where: {package: "{package}"}
"""


def _network() -> nn.Module:
    from ...networks.classify import ResNet

    return ResNet(DEPTH, 1, len(NAMES), WIDTH)


def _task() -> Task:
    from ._pattern_task import PatternTask

    return PatternTask(_network())


def _choices() -> Choices:
    light = patterns(Part.VALIDATION, 1)[0]
    frames = [seen(one[:SEEN, :SEEN], np.random.default_rng(n), 30.0).counts for n, one in enumerate(light)]
    return Choices(
        example=frames[0][None, None],
        pre=(percentiles(*PERCENTILES, ("y", "x")), cast("float32")),
        post=((make_step("softmax", {"axis": "channel"}),),),
        output_axes=("bc",),
        output_names=("classes",),
        minimum=64,
        step=1,
        sizes=[(64, 64), (97, 130)],
        frames=frames[1:3],
    )


def _frames(seed: int, peak: float) -> tuple[list[Array], list[int]]:
    """Held-out frames of one seed, with the numbers of their classes."""
    frames, names = [], []
    for number in range(PER_SEED * seed, PER_SEED * (seed + 1)):
        rng = np.random.default_rng((number, round(peak)))
        for name, structure in enumerate(patterns(Part.HELD_OUT, 1, number)[0]):
            for y, x in CORNERS:
                frames.append(seen(structure[y : y + SEEN, x : x + SEEN], rng, peak).counts)
                names.append(name)
    return frames, names


@cache
def _machine() -> SupportVectors:
    """Taught with frames as the network is."""
    light, rng = patterns(Part.TRAINING, SPECIMENS), np.random.default_rng(0)
    names = rng.integers(len(NAMES), size=LEARNED)
    features = []
    for name in names:
        y, x = rng.integers(light.shape[-1] - SEEN, size=2)
        structure = light[rng.integers(len(light)), name, y : y + SEEN, x : x + SEEN]
        features.append(described(seen(structure, rng).counts))
    return SupportVectors(np.stack(features), list(names), len(NAMES))


def _told(folder: Path, frames: list[Array]) -> list[int]:
    return [int(one["where"]["class"][0]) for one in answers(pipeline_of(PIPELINE, folder), movie(frames))]


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for peak in PEAKS:
        rows = []
        for seed in range(seeds):
            frames, names = _frames(seed, peak)
            features = np.stack([described(one) for one in frames])
            rows.append({"network": (_told(folder, frames), names), SVM: (list(_machine()(features)), names)})
        for metric, value in (("accuracy", accuracy), ("macro F1", macro_f1)):
            told = [{name: value(*pair) for name, pair in row.items()} for row in rows]
            found.append(over_seeds(f"{peak:g} photons", metric, "", told))
    return found


def accuracy(told: list[int], names: list[int]) -> float:
    """Share of right ones."""
    return float(np.mean(np.asarray(told) == np.asarray(names)))


def macro_f1(told: list[int], names: list[int]) -> float:
    """Mean over the classes that are there of 2 right / (told + true)."""
    said, true = np.asarray(told), np.asarray(names)
    return float(
        np.mean([2 * ((said == n) & (true == n)).sum() / ((said == n).sum() + (true == n).sum()) for n in set(names)])
    )


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for peak in (5.0, 100.0):
        frames, names = _frames(0, peak)
        chosen = [names.index(name) for name in range(len(NAMES))]
        told = _told(folder, [frames[n] for n in chosen])
        rows.append([
            Tile(NAMES[names[n]], frames[n], f"told: {NAMES[said]}, {peak:g} photons")
            for n, said in zip(chosen, told, strict=True)
        ])  # fmt: skip
    sheet("ResNet-18 on held-out cells: where is the label?", rows, file)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="A ResNet-18 with twelve features that tells where in the cells a fluorescent label is",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x) of fluorescence, y and x of at least 64, with pixels of about 0.12 to 0.4 "
            "um and some cells in it, scaled so that its percentiles 1 and 99.8 become 0 and 1. The answer is float32 "
            f"(1, {len(NAMES)}): the probabilities of {', '.join(NAMES)}, which add up to 1; onscope answers with one "
            "row: class, score, and the scores of all. A frame of any size is averaged over its whole area."
        ),
        recipe=(
            "Cells of `onscope.specimen` (dividing-cells) at 40 to 120 % of their number, round to elongated, up to "
            "15 % in mitosis, each specimen seen in five dyes: pixels of 0.12 to 0.4 um, wide field or confocal, "
            "focus off by 1.2 um (standard deviation); 60 specimens. Crops of 128x128, turned and mirrored, with 4 to "
            "400 photons in the brightest pixels over a background of 0.5 to 30, behind sCMOS sensors of many kinds; "
            "noise is drawn anew for every batch of 20. Loss: cross entropy with labels smoothed by 0.05, so that the "
            "scores stay below 1."
        ),
        limits=(
            "Trained on simulated cells alone, with one structure labelled at a time: a frame with two labels, none, "
            "or another structure gets the class that it resembles most. It says what a whole frame shows and not "
            "what each cell does. Real labels leak into other compartments; look at the scores before you trust it."
        ),
        cite=(
            {
                "text": "K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for image recognition, CVPR 2016",
                "doi": "10.1109/CVPR.2016.90",
            },
        ),
        tags=("classification", "protein-localization", "fluorescence", "2d", "resnet", "cells"),
        settings={"decode": "classes", "classes": list(NAMES)},
    ),
    live=Live(PIPELINE, "specimen:label-free@mitochondria"),
    training=Training(_task, steps=1500, learning_rate=3e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on specimens that training never saw, two of them and forty frames of "
            "128x128 for each seed and light level; mean and standard deviation over the seeds. Beside it a "
            "least-squares support vector machine with Gaussian kernels (Suykens 1999) on 17 numbers that describe "
            "intensities (moments, percentiles, entropy, variation at four scales), taught with 1000 frames of the "
            "network's training, its width and price chosen by cross-validation."
        ),
    ),
)
