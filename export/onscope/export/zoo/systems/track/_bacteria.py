"""Bacteria in mother machines of many kinds, in short series with who became whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.specimen import Truth
from onscope.specimen.sample import BacteriaSettings
from onscope.specimen.scenarios import Scenario
from onscope.specimen.sensor import Sensor

from ..._scenes import random_sensor
from ...recipes import Field, Part, Plan, Recipe, Shot
from .._bank import bank

Array = npt.NDArray[Any]
CHANNEL = "phase"
SHAPE = (448, 224)
"""Pixels (y, x) of a field: a whole side channel, and two or three beside each other."""
PIXEL_UM = 0.065
TIMES, PLACES = 4, 2
"""Frames of a series, and fields of a specimen."""
INTERVAL_S = (40.0, 200.0)
LEAST_PX = 20
"""Pixels. Less of a bacterium, at the border of the field, is none."""
TOP_UM = 20.0
"""Where the channels' closed ends are, in the specimen."""
_CAMERA = 0xCA3


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A field: counts uint16 (y, x), its truth's bodies int32 (y, x) by id, and the mother of each id."""

    counts: npt.NDArray[np.uint16]
    labels: npt.NDArray[np.int32]
    parents: dict[int, int]


def series(part: Part, count: int) -> dict[str, Array]:
    """Series of `count` specimens: `counts` uint16 and `labels` uint8 (n, TIMES, y, x), `was` uint8 (n, TIMES, 256).

    `was[i, t, label]` is the label in frame t - 1 of the same bacterium or its mother, 0 for none (and for t = 0).
    """
    return bank(BACTERIA, part, count, _arrays)


def parted(labels: Array) -> Array:
    """Label images (y, x) with background where two objects touch: a gap of one pixel of each."""
    wide = labels.astype(np.float32)
    inside = labels > 0
    high = cv2.dilate(wide, np.ones((3, 3), np.uint8))
    low = cv2.erode(np.where(inside, wide, np.float32(1 << 24)), np.ones((3, 3), np.uint8))
    return np.where(inside & (high == low), labels, 0)


def numbered(truth: Truth) -> tuple[npt.NDArray[np.int32], dict[int, int]]:
    """Bodies with at least `LEAST_PX` pixels by their ids, int32 (y, x), and the mother of each (0: none)."""
    areas = np.bincount(truth.labels.ravel())
    labels = np.where(areas[truth.labels] < LEAST_PX, 0, truth.labels).astype(np.int32)
    return labels, dict(truth.objects[["id", "parent"]].tolist())


def became(before: set[int], now: Sequence[int], parents: dict[int, int]) -> dict[int, int]:
    """By id now the id before of the same bacterium or its mother; those that come from neither are left out."""
    found = {one: one if one in before else parents.get(one, 0) for one in now}
    return {one: origin for one, origin in found.items() if origin in before}


def machine(scenario: Scenario, rng: np.random.Generator) -> Scenario:
    """Another device, other bacteria and other phase optics, all at random; ten channels are enough."""
    assert scenario.sample.bacteria is not None
    width = float(rng.uniform(0.75, 1.15))
    bacteria = BacteriaSettings(
        channels=10,
        spacing_um=float(rng.uniform(3.5, 7.0)),
        channel_um=(25.0, width + float(rng.uniform(0.05, 0.35))),
        doubling_min=float(np.exp(rng.uniform(np.log(18), np.log(50)))),
        spread=float(rng.uniform(0.05, 0.15)),
        added_um=float(rng.uniform(1.8, 3.4)),
        width_um=width,
    )
    stand = scenario.microscope
    lens = replace(
        stand.objective,
        magnification=stand.objective.magnification * float(rng.uniform(0.85, 1.18)),
        na=float(rng.uniform(1.25, 1.42)),
    )
    condenser = replace(stand.condenser, ring_transmission=float(rng.uniform(0.15, 0.4)))
    return replace(
        scenario,
        sample=replace(scenario.sample, bacteria=bacteria, age_s=float(rng.uniform(1200, 9000))),
        microscope=replace(stand, objective=lens, condenser=condenser),
        channels={CHANNEL: scenario.channels[CHANNEL]},
    )


def plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """`TIMES` frames of `PLACES` fields of a random device, at one interval; focus wanders by 0.2 um."""
    chosen = machine(scenario, rng)
    bacteria = chosen.sample.bacteria
    assert bacteria is not None
    wide = (bacteria.channels + 1) * bacteria.spacing_um
    places = [
        (TOP_UM + float(rng.uniform(6, 26)), float(np.clip(rng.uniform(0, wide), 7, wide - 7))) for _ in range(PLACES)
    ]
    interval, focus = float(rng.uniform(*INTERVAL_S)), chosen.channels[CHANNEL].z_um + float(rng.normal(0, 0.2))
    shots = [
        Shot(time * interval, place, CHANNEL, SHAPE, z_um=focus + float(rng.normal(0, 0.1)))
        for time in range(TIMES)
        for place in places
    ]
    return Plan(chosen, tuple(shots))


def camera(rng: np.random.Generator, photons: Array) -> tuple[Sensor, float]:
    """A random sensor, and what the light is multiplied by: bright pixels fill 10 to 90 % of its wells."""
    sensor = random_sensor(rng)
    most = (2**sensor.bit_depth - sensor.offset_counts) / sensor.gain_counts_per_electron
    full = min(sensor.full_well_electrons, most) * float(rng.uniform(0.1, 0.9))
    return sensor, full / (sensor.quantum_efficiency * float(np.percentile(photons, 99.9)) + 1e-9)


def seen(field: Field, rng: np.random.Generator) -> list[Seen]:
    """The field behind a random camera, the same for all of its specimen."""
    sensor, factor = camera(np.random.default_rng((field.seed, _CAMERA)), field.snap.photons)
    labels, parents = numbered(field.truth)
    return [Seen(sensor.expose(field.snap.photons * factor, rng, exact=False), labels, parents)]


BACTERIA = Recipe("mother-machine", "bacteria", plan, seen)


def _arrays(examples: Sequence[Seen]) -> dict[str, Array]:
    counts, labels, was = [], [], []
    for first in range(0, len(examples), TIMES * PLACES):
        for place in range(PLACES):
            frames = [examples[first + time * PLACES + place] for time in range(TIMES)]
            counts.append(np.stack([one.counts for one in frames]))
            small, links = _linked(frames)
            labels.append(small)
            was.append(links)
    return {"counts": np.stack(counts), "labels": np.stack(labels), "was": np.stack(was)}


def _linked(frames: Sequence[Seen]) -> tuple[Array, Array]:
    """Labels from 1 on in each frame, uint8 (t, y, x), and which of the frame before each is, uint8 (t, 256)."""
    labels, was = np.zeros((len(frames), *SHAPE), np.uint8), np.zeros((len(frames), 256), np.uint8)
    before: dict[int, int] = {}
    for time, one in enumerate(frames):
        ids = np.unique(one.labels)[1:].tolist() if (one.labels == 0).any() else np.unique(one.labels).tolist()
        numbers = {name: place + 1 for place, name in enumerate(ids)}
        table = np.zeros(max(ids, default=0) + 1, np.uint8)
        table[ids] = list(numbers.values())
        labels[time] = table[one.labels]
        for name, origin in became(set(before), ids, one.parents).items():
            was[time, numbers[name]] = before[origin]
        before = numbers
    return labels, was
