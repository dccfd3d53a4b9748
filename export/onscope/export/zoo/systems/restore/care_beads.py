"""CARE on beads: the shipped package `care-beads`, beside filters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from onscope.export import Choices
from onscope.runtime.drawing import Look

from ..._metrics import psnr
from ..._scenes import draw_demo
from ..._texts import WORDS
from .._beads import ABOUT, beads
from .._classical import best_filters
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

WORDS_OF = WORDS["care"]
PIPELINE = """schema: 1
stages:
  denoise: {package: "{package}"}
"""


def _network() -> nn.Module:
    from ...care import Care

    return Care()


def _task() -> Task:
    from ..._tasks import DenoiseTask

    return DenoiseTask()


def _choices() -> Choices:
    frames = [draw_demo(20_000_000 + number, (192, 256)).frame for number in range(3)]
    example = np.ascontiguousarray(frames[0][:64, :96])[None, None]
    return Choices(example=example, sizes=[(16, 17), (63, 96), (131, 77)], frames=frames)


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for held in beads(seeds):
        results = answers(pipeline_of(PIPELINE, folder), movie([one.frame for one in held.samples]))
        rows = []
        for sample, result in zip(held.samples, results, strict=True):
            images = {"network": np.asarray(result["denoise"]), **best_filters(sample.frame, sample.truth)}
            rows.append({name: psnr(image, sample.truth) for name, image in images.items()})
        found.append(over_seeds(held.kind, "PSNR", "dB", rows))
    return found


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for held in beads(1):
        sample = held.samples[0]
        own = np.asarray(answers(pipeline_of(PIPELINE, folder), movie([sample.frame]))[0]["denoise"])
        filters = best_filters(sample.frame, sample.truth)
        best = max(filters, key=lambda name: psnr(filters[name], sample.truth))
        look = Look.of(sample.truth, glow=True)
        told = {held.kind: sample.frame, best: filters[best], "CARE": own}
        tiles = [
            Tile(name, image[:SHOWN, :SHOWN], f"{psnr(image, sample.truth):.1f} dB", look)
            for name, image in told.items()
        ]
        rows.append([*tiles, Tile("truth", sample.truth[:SHOWN, :SHOWN], "", look)])
    sheet("CARE on held-out beads", rows, file)


SHOWN = 160
"""Pixels per side of what the picture shows of a scene."""
SYSTEM = System(
    key=WORDS_OF.folder,
    network=_network,
    choices=_choices,
    words=WORDS_OF,
    live=Live(PIPELINE, "specimen:spots"),
    training=Training(_task, steps=5000),
    measured=Measured(
        _scores, _picture, about=ABOUT + "PSNR over the span of the truth; filters at the parameter that suits best."
    ),
)
