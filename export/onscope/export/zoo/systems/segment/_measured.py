"""How well single nuclei are outlined: specimens that training never saw, scores, and what needs no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import PACKAGES
from ..._matching import Matched, matched
from ..._nuclei_quality import KINDS, WIDTHS_PX, held_out, watershed
from ...recipes import Nuclei
from .._live_path import FRESH, answers, movie, pipeline_of
from .._score import Score, over_seeds

Labels = npt.NDArray[np.int32]
Finder = Callable[[Sequence[Nuclei]], Sequence[Labels]]
USUAL, UNET = "Otsu + watershed", "U-Net + watershed"
ABOUT = (
    "Measured through the runtime on specimens that neither training nor any choice has seen; mean and standard "
    "deviation over the specimens. Four scenarios as they are (512x512), dividing-cells with a death rate of 0.2 per "
    "hour (dying cells), and fields from the whole range of the training (255x255, four of each specimen). F1 counts "
    "pairs of nuclei that overlap by 0.5 or 0.7 (intersection over union); IoU is that of all pixels of nuclei; the "
    "count's error is the difference of the numbers of nuclei, the area's that of their mean areas, both as shares of "
    "the true one. Otsu's threshold with a watershed has the width that suits each frame's F1 best, the truth known."
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Of one or several frames: instances, pixels of nuclei (in both, in one), and the areas' sums in pixels."""

    instances: Matched
    shared: int
    covered: int
    true_area: int
    found_area: int

    def __add__(self, other: Compared) -> Compared:
        return Compared(
            self.instances + other.instances,
            self.shared + other.shared,
            self.covered + other.covered,
            self.true_area + other.true_area,
            self.found_area + other.found_area,
        )

    @property
    def overlap(self) -> float:
        """Intersection over union of all pixels of nuclei; 1 where there are none."""
        return self.shared / self.covered if self.covered else 1.0

    @property
    def count_error(self) -> float:
        """Percent."""
        true = max(self.instances.true, 1)
        return 100 * abs(self.instances.found - self.instances.true) / true

    @property
    def area_error(self) -> float:
        """Percent of the true mean area; 100 where nothing was found."""
        if not self.instances.true or not self.instances.found:
            return 0.0 if self.instances.true == self.instances.found else 100.0
        true = self.true_area / self.instances.true
        return 100 * abs(self.found_area / self.instances.found - true) / true


METRICS: tuple[tuple[str, str, bool, Callable[[Compared], float]], ...] = (
    ("F1 at 0.5", "", False, lambda one: one.instances.f1(0.5)),
    ("F1 at 0.7", "", False, lambda one: one.instances.f1(0.7)),
    ("IoU", "", False, lambda one: one.overlap),
    ("error of the count", "%", True, lambda one: one.count_error),
    ("error of the mean area", "%", True, lambda one: one.area_error),
)


def compared(truth: Labels, found: Labels) -> Compared:
    """Label images (y, x) against each other."""
    true, seen = truth > 0, found > 0
    shared = int((true & seen).sum())
    return Compared(matched(truth, found), shared, int((true | seen).sum()), int(true.sum()), int(seen.sum()))


@cache
def fields(kind: str, seeds: int, first: int = FRESH) -> tuple[tuple[Nuclei, ...], ...]:
    """The held-out fields of each of so many specimens of a kind, from number `first` on.

    Scores of those before FRESH had been seen when the settings of the U-Net's decoder were chosen.
    """
    every = tuple(held_out(kind, seeds, first))
    each = len(every) // seeds
    return tuple(every[n * each : (n + 1) * each] for n in range(seeds))


def live(pipeline: str, stage: str, folder: Path) -> Finder:
    """The labels that a stage of a pipeline's text answers with, of the package in `folder`, by the runtime."""

    def find(given: Sequence[Nuclei]) -> Sequence[Labels]:
        results = answers(pipeline_of(pipeline, folder), movie([one.counts for one in given]))
        return [np.asarray(one[stage], np.int32) for one in results]

    return find


def beside_unet(pipeline: str, stage: str, folder: Path) -> dict[str, Finder]:
    """The network's package in `folder`, the U-Net's beside it (or else the shipped one), and the usual way."""
    from . import unet_cells

    beside = folder.parent / unet_cells.KEY
    unet = live(unet_cells.PIPELINE, "nuclei", beside if beside.is_dir() else PACKAGES / unet_cells.KEY)
    return {"network": live(pipeline, stage, folder), UNET: unet, USUAL: best_watershed}


def best_watershed(given: Sequence[Nuclei]) -> Sequence[Labels]:
    """Otsu's threshold and a watershed of the width with the best F1 at 0.5 on each frame, the truth known.

    Of widths that are equally good the one with the smaller error of the count.
    """
    found = []
    for one in given:
        tried = [watershed(one.counts, width) for width in WIDTHS_PX]
        told = [(compared(one.labels, labels), labels) for labels in tried]
        found.append(max(told, key=lambda each: (each[0].instances.f1(0.5), -each[0].count_error))[1])
    return found


def scores(finders: Mapping[str, Finder], seeds: int, first: int = FRESH) -> list[Score]:
    """All metrics on all kinds of fields; `finders` are "network" and the baselines by their names."""
    found = []
    for kind in KINDS:
        groups = fields(kind, seeds, first)
        every = [one for group in groups for one in group]
        told = {name: _of(every, find(every), len(groups)) for name, find in finders.items()}
        for metric, unit, less, value in METRICS:
            rows = [{name: value(column[seed]) for name, column in told.items()} for seed in range(seeds)]
            found.append(over_seeds(kind, metric, unit, rows, less_is_better=less))
    return found


def _of(every: Sequence[Nuclei], labels: Sequence[Any], groups: int) -> list[Compared]:
    """What was found, all fields of a specimen together."""
    told = [compared(one.labels, found) for one, found in zip(every, labels, strict=True)]
    each = len(told) // groups
    return [reduce(add, told[n * each : (n + 1) * each]) for n in range(groups)]
