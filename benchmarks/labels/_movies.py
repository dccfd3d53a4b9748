"""Movies of living cells with their true lineages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.export.zoo._lineage import Lineage
from onscope.export.zoo.recipes import Part
from onscope.export.zoo.recipes._instances import LEAST_PX
from onscope.export.zoo.recipes._parts import seed_of
from onscope.specimen import Truth
from onscope.specimen.scenarios import Scenario, as_specimen, read_scenario

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Movie:
    """`frames` uint16 (T, y, x), `labels` int32 (T, y, x), each frame's own numbers, the true `lineage`, `pixel_um`."""

    frames: Array
    labels: Array
    lineage: Lineage
    pixel_um: float


def dividing(scenario: Scenario) -> Scenario:
    """Dividing-cells soon after the start, with a fifth of the cells in mitosis and a cycle of 6 h: there are divisions
    to find."""
    assert scenario.sample.cells is not None
    cells = replace(scenario.sample.cells, mitotic_fraction=0.2, cycle_h=6)
    return replace(scenario, sample=replace(scenario.sample, cells=cells, age_s=300.0))


MOVIES = {"dividing-cells": (dividing, 300.0, 768), "wound": (lambda scenario: scenario, 600.0, 512)}
"""By scenario: what is changed of it, seconds between frames, side in pixels."""


def movie(kind: str, part: Part, number: int, frames: int, side: int | None = None) -> Movie:
    """A movie of a part's specimen `number`; `side` in pixels takes the place of the kind's own."""
    changed, interval_s, own_side = MOVIES[kind]
    scenario = changed(read_scenario(kind))
    specimen = as_specimen(scenario, seed_of(part, number))
    began = specimen.time_s
    shape = (side or own_side,) * 2
    images, labels, told = [], [], []
    for frame in range(frames):
        specimen.advance(began + frame * interval_s)
        snap = specimen.snap(scenario.acquisition.stage_um, "nuclei", shape=shape)
        assert snap.truth is not None
        pieces, owners = pieces_of(snap.truth)
        images.append(snap.counts)
        labels.append(pieces)
        told.append((owners, dict(snap.truth.objects[["id", "parent"]].tolist())))
    return Movie(np.stack(images), np.stack(labels), _lineage(labels, told), specimen.pixel_um)


def pieces_of(truth: Truth) -> tuple[npt.NDArray[np.int32], list[int]]:
    """A label image of what is seen as one nucleus each, 1, 2, ..., and the cell that each belongs to.

    Of an anaphase the two largest sets of chromosomes that are apart; of all others the whole.
    """
    kinds = dict(zip(truth.objects["id"].tolist(), truth.kinds(), strict=True))
    out = np.zeros(truth.nuclei.shape, np.int32)
    owners: list[int] = []
    for number in np.unique(truth.nuclei[truth.nuclei > 0]).tolist():
        mask = truth.nuclei == number
        parts = [mask]
        if kinds.get(number) == "anaphase":
            count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
            largest = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:2]
            parts = [pieces == one for one in largest.tolist()] if count > 1 else []
        for part in parts:
            if np.count_nonzero(part) >= LEAST_PX:
                owners.append(number)
                out[part] = len(owners)
    return out, owners


def _lineage(labels: list[Array], told: list[tuple[list[int], dict[int, int]]]) -> Lineage:
    counts = [len(owners) for owners, _ in told]
    start = np.concatenate([[0], np.cumsum(counts)])
    middles = [_middles(image, count) for image, count in zip(labels, counts, strict=True)]
    edges: list[tuple[int, int]] = []
    for frame in range(1, len(labels)):
        before, (after, parents) = told[frame - 1][0], told[frame]
        pairs = _pairs(before, after, parents, middles[frame - 1], middles[frame])
        edges += [(int(start[frame - 1]) + one, int(start[frame]) + other) for one, other in pairs]
    frame_of = np.repeat(np.arange(len(labels)), counts)
    label_of = np.concatenate([np.arange(1, count + 1) for count in counts]) if counts else np.zeros(0, int)
    return Lineage(frame_of, label_of, np.array(edges, np.intp).reshape(-1, 2))


def _pairs(
    before: list[int], after: list[int], parents: dict[int, int], places: Array, later: Array
) -> Iterator[tuple[int, int]]:
    """Objects (numbers from 0) of one frame with those that they are, or divide into, in the next."""
    lived = set(before)
    groups: dict[int, list[int]] = {}
    for other, cell in enumerate(after):
        mother = cell if cell in lived else parents.get(cell, 0)
        if mother in lived:
            groups.setdefault(mother, []).append(other)
    for mother, others in groups.items():
        ones = [one for one, cell in enumerate(before) if cell == mother]
        if len(ones) == 1:
            yield from ((ones[0], other) for other in others[:2])
            continue
        # Two halves of a mother: each goes to the nearest, so that the sum of the ways is least.
        away = np.hypot(*(places[ones][:, None] - later[others][None]).transpose(2, 0, 1))
        if len(others) == 1:
            yield ones[int(away[:, 0].argmin())], others[0]
        else:
            straight = away[0, 0] + away[1, 1] <= away[0, 1] + away[1, 0]
            yield ones[0], others[0 if straight else 1]
            yield ones[1], others[1 if straight else 0]


def _middles(labels: Array, count: int) -> Array:
    y, x = np.nonzero(labels)
    own = labels[y, x]
    areas = np.maximum(np.bincount(own, minlength=count + 1)[1:], 1)
    return np.stack([np.bincount(own, each, count + 1)[1:] / areas for each in (y, x)], axis=1)
