"""Nuclei that move far between two frames and divide: series for training, and held-out movies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects

from onscope.specimen import Truth
from onscope.specimen.scenarios import Scenario, as_specimen, read_scenario

from ..._crops import at_scale
from ...recipes import Field, Part, Plan, Recipe, Shot
from ...recipes._parts import seed_of
from .._bank import bank

Array = npt.NDArray[Any]
CHANNEL = "nuclei"
PIXEL_UM = 0.5
"""Of the network."""
SIDE = 320
"""Of a field, in pixels of the network."""
FIELD = (576, 576)
TIMES = 4
INTERVAL_S = (300.0, 1500.0)
EXTENT_UM = 260.0
PER_UM2 = 450 / 480**2
MITOTIC = frozenset({"prophase", "prometaphase", "metaphase", "anaphase", "telophase"})
COLUMNS = ("id", "y", "x", "dy", "dx", "mitosis")
"""Of a nucleus that is seen in two frames: where in the first, how far it moves in pixels, and whether it divides."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A field: counts uint16 (y, x), and for each nucleus its place in pixels, by id; its mother; those in mitosis."""

    counts: npt.NDArray[np.uint16]
    places: dict[int, tuple[float, float]]
    parents: dict[int, int]
    mitotic: frozenset[int]


def moving(part: Part, count: int) -> dict[str, Array]:
    """`before` and `after` uint16 (n, SIDE, SIDE), `cells` float32 (m, 7): n and the `COLUMNS` of each nucleus."""
    return bank(MOVING, part, count, _arrays)


def lively(scenario: Scenario, rng: np.random.Generator) -> Scenario:
    """Few hundred cells at a random density and pace, a fifth of them in mitosis, seen with 20x."""
    cells = scenario.sample.cells
    assert cells is not None
    chosen = replace(
        cells,
        count=round(PER_UM2 * EXTENT_UM**2 * float(rng.uniform(0.6, 1.3))),
        extent_um=(EXTENT_UM, EXTENT_UM),
        mitotic_fraction=0.2,
        cycle_h=6.0,
        speed_um_per_min=float(rng.uniform(0.3, 0.8)),
    )
    stand = scenario.microscope
    lens = replace(stand.objective, magnification=20 * float(rng.uniform(0.9, 1.1)), na=0.75)
    return replace(
        scenario,
        sample=replace(scenario.sample, cells=chosen, age_s=300.0),
        microscope=replace(stand, objective=lens),
        channels={CHANNEL: scenario.channels[CHANNEL]},
    )


def plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """`TIMES` frames of the middle, at one interval."""
    chosen, interval = lively(scenario, rng), float(rng.uniform(*INTERVAL_S))
    exposure = chosen.channels[CHANNEL].exposure_ms / 1000 * float(np.exp(rng.uniform(np.log(0.1), np.log(2))))
    middle = (EXTENT_UM / 2, EXTENT_UM / 2)
    return Plan(chosen, tuple(Shot(n * interval, middle, CHANNEL, FIELD, exposure_s=exposure) for n in range(TIMES)))


def seen(field: Field, rng: np.random.Generator) -> list[Seen]:
    """The field on the network's pixels, and where its nuclei are."""
    image = at_scale(field.counts, field.pixel_um, PIXEL_UM)[:SIDE, :SIDE]
    return [Seen(image, *told(field.truth, field.pixel_um / PIXEL_UM))]


def told(truth: Truth, ratio: float) -> tuple[dict[int, tuple[float, float]], dict[int, int], frozenset[int]]:
    """Places of the nuclei, in pixels of `1 / ratio` of the truth's, the mother of each, and those in mitosis."""
    places = {}
    for number, box in enumerate(find_objects(truth.nuclei), 1):
        if box is not None:
            y, x = np.nonzero(truth.nuclei[box] == number)
            middle = box[0].start + float(y.mean()), box[1].start + float(x.mean())
            places[number] = ((middle[0] + 0.5) * ratio - 0.5, (middle[1] + 0.5) * ratio - 0.5)
    ids = truth.objects["id"].tolist()
    parents = dict(zip(ids, truth.objects["parent"].tolist(), strict=True))
    kinds = zip(ids, truth.kinds(), strict=True)
    return places, parents, frozenset(one for one, kind in kinds if kind in MITOTIC)


def moves(before: Seen, after: Seen) -> Array:
    """The `COLUMNS` of the nuclei of one frame that the next one shows, or their daughters, whose middle counts."""
    later: dict[int, list[tuple[float, float]]] = {}
    for one, place in after.places.items():
        origin = one if one in before.places else after.parents.get(one, 0)
        later.setdefault(origin, []).append(place)
    rows = []
    for one, (y, x) in before.places.items():
        if one in later:
            to_y, to_x = np.mean(later[one], axis=0)
            divides = one not in after.places or one in after.mitotic
            rows.append((one, y, x, to_y - y, to_x - x, float(divides)))
    return np.array(rows, np.float32).reshape(-1, len(COLUMNS))


MOVING = Recipe("moving-nuclei", "dividing-cells", plan, seen)


def _arrays(examples: Sequence[Seen]) -> dict[str, Array]:
    before: list[Array] = []
    after: list[Array] = []
    cells: list[Array] = []
    for first in range(0, len(examples), TIMES):
        for one, other in zip(examples[first : first + TIMES - 1], examples[first + 1 : first + TIMES], strict=True):
            rows = moves(one, other)
            inside = ((rows[:, 1:3] >= 0) & (rows[:, 1:3] < SIDE)).all(axis=1)
            rows = rows[inside]
            cells.append(np.column_stack([np.full(len(rows), len(before), np.float32), rows]))
            before.append(one.counts)
            after.append(other.counts)
    return {"before": np.stack(before), "after": np.stack(after), "cells": np.concatenate(cells)}


@dataclass(frozen=True, slots=True, eq=False)
class Movie:
    """`frames` uint16 (t, y, x), what is true of each (`Seen`, in the frames' own pixels), labels int32, `pixel_um`."""

    frames: Array
    seen: tuple[Seen, ...]
    labels: Array
    pixel_um: float


def held_out(number: int, frames: int, interval_s: float) -> Movie:
    """A movie of a held-out specimen; its nuclei's ids are those of `labels`."""
    seed = seed_of(Part.HELD_OUT, number)
    scenario = lively(read_scenario("dividing-cells"), np.random.default_rng((seed, 0x307)))
    specimen = as_specimen(scenario, seed)
    began, images, found, labels = specimen.time_s, [], [], []
    for time in range(frames):
        specimen.advance(began + time * interval_s)
        snap = specimen.snap((EXTENT_UM / 2, EXTENT_UM / 2), CHANNEL, shape=(512, 512))
        assert snap.truth is not None
        images.append(snap.counts)
        labels.append(snap.truth.nuclei)
        found.append(Seen(snap.counts, *told(snap.truth, 1.0)))
    return Movie(np.stack(images), tuple(found), np.stack(labels), specimen.pixel_um)
