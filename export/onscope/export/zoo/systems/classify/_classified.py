"""How well frames are classified: accuracy and F1 at several light levels, of a package and of its baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from ._features import SupportVectors, described

Array = npt.NDArray[Any]
FramesOf = Callable[[int, float], tuple[list[Array], list[int]]]
"""Held-out frames of a seed at so many photons, and the numbers of their classes."""
SVM = "SVM on intensity features"
PEAKS = (5.0, 20.0, 100.0)
"""Photons of the brightest pixels of held-out frames."""
OF_CROPS = """schema: 1
stages:
  nuclei: {package: zoo/nuclei-cells}
  cells: {measure: nuclei}
  phase: {package: "{package}", crops: cells, rescale: true, normalise: per_crop}
"""
"""The pipeline of a classifier behind a segmentation."""
CROPS_ALONE = """schema: 1
stages:
  phase: {package: "{package}"}
"""
"""That of a classifier of crops that are cut already, a stage `phase`."""
ABOUT_SVM = (
    "Beside it a least-squares support vector machine with Gaussian kernels (Suykens 1999) on 17 numbers that describe "
    "intensities (moments, percentiles, entropy, variation at four scales), taught with 1000 frames of the network's "
    "training, its width and price chosen by cross-validation."
)


def told(pipeline: str, stage: str, folder: Path, frames: Sequence[Array]) -> list[int]:
    """The classes that a stage of a pipeline's text gives to frames, by the runtime."""
    return [int(one[stage]["class"][0]) for one in answers(pipeline_of(pipeline, folder), movie(frames))]


def scores(
    frames_of: FramesOf, seeds: int, network: Callable[[list[Array]], list[int]], machine: SupportVectors
) -> list[Score]:
    """Both metrics at all `PEAKS`, of the network and of the machine beside it."""
    found = []
    for peak in PEAKS:
        rows = []
        for seed in range(seeds):
            frames, names = frames_of(seed, peak)
            features = np.stack([described(one) for one in frames])
            rows.append({"network": (network(frames), names), SVM: (machine(features).tolist(), names)})
        found += told_scores(f"{peak:g} photons", rows)
    return found


def told_scores(samples: str, rows: Sequence[dict[str, tuple[list[int], list[int]]]]) -> list[Score]:
    """Both metrics of what was told and what is true, by who told it, a row per seed."""
    found = []
    for metric, value in (("accuracy", accuracy), ("macro F1", macro_f1)):
        values = [{name: value(*pair) for name, pair in row.items()} for row in rows]
        found.append(over_seeds(samples, metric, "", values))
    return found


def accuracy(said: list[int], names: list[int]) -> float:
    """Share of right ones."""
    return float(np.mean(np.asarray(said) == np.asarray(names)))


def macro_f1(said: list[int], names: list[int]) -> float:
    """Mean over the classes that are there of 2 right / (told + true)."""
    found, true = np.asarray(said), np.asarray(names)
    each = [2 * ((found == n) & (true == n)).sum() / ((found == n).sum() + (true == n).sum()) for n in np.unique(true)]
    return float(np.mean(each))
