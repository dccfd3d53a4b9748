"""CARE on beads: the shipped package `care-beads`, beside filters."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from onscope.runtime.drawing import Look

from ..._metrics import psnr
from .._beads import ABOUT, beads, beads_system
from .._classical import best_filters
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Measured

PIPELINE = """schema: 1
stages:
  denoise: {package: "{package}"}
"""


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
SYSTEM = beads_system(
    "care",
    PIPELINE,
    Measured(
        _scores, _picture, about=ABOUT + "PSNR over the span of the truth; filters at the parameter that suits best."
    ),
)
