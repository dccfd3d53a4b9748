"""Fluorescent structures of cells without noise, of many sizes, behind cameras and light levels that are drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen.scenarios import Scenario
from onscope.specimen.sensor import Sensor

from .._scenes import random_sensor
from ..recipes import Field, Part, Plan, Recipe, around
from ._bank import bank

Array = npt.NDArray[Any]

SIDE = 256
FIELDS = 2
"""Of each specimen and channel, in random places."""
KINDS = (
    ("dividing-cells", "nuclei"),
    ("dividing-cells", "membranes"),
    ("label-free", "mitochondria"),
    ("label-free", "membranes"),
)
"""Scenarios and their channels."""
PEAK_PHOTONS = (4.0, 400.0)
"""Photons of the brightest pixels (their 99.8th percentile above the darkest), drawn on a logarithmic scale."""
BACKGROUND_PHOTONS = (0.5, 30.0)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Noisy counts uint16 (y, x) and what a camera without noise would count, float32 (y, x)."""

    counts: npt.NDArray[np.uint16]
    truth: npt.NDArray[np.float32]


def structures(part: Part, count: int) -> Array:
    """Noise-free structures, float32 (n, SIDE, SIDE), 0 to about 1: `FIELDS` of each specimen."""
    return np.concatenate([bank(recipe, part, count, _arrays)["light"] for recipe in RECIPES])


def held_out(kind: int, number: int) -> Array:
    """The first field of a held-out specimen of one of `KINDS`, float32 (SIDE, SIDE)."""
    light = bank(RECIPES[kind], Part.HELD_OUT, 1, _arrays, first=number)["light"]
    return np.asarray(light[0], np.float32)


def behind_a_camera(light: Array, rng: np.random.Generator, peak: float | None = None) -> Frame:
    """Structures (y, x) from 0 to 1 at a random light level (or `peak` photons) before a random sensor."""
    low, high = np.log(PEAK_PHOTONS)
    photons = light * (np.exp(rng.uniform(low, high)) if peak is None else peak)
    photons = photons + np.exp(rng.uniform(*np.log(BACKGROUND_PHOTONS)))
    return exposed(photons, rng)


def exposed(photons: Array, rng: np.random.Generator, sensor: Sensor | None = None) -> Frame:
    """Mean photons per pixel (y, x) before a sensor (None: a random one)."""
    camera = sensor or random_sensor(rng)
    counts = camera.expose(photons, rng, exact=False)
    return Frame(counts, camera.expected_counts(photons).astype(np.float32))


def _plan(channel: str, scenario: Scenario, rng: np.random.Generator) -> Plan:
    """Cells of the scenario at a random density, seen at random sharpness: pixels of 0.1 to 0.33 um, focus off."""
    cells = scenario.sample.cells
    assert cells is not None
    more = replace(cells, count=max(20, round(cells.count * rng.uniform(0.4, 1.3))))
    stand = scenario.microscope
    zoom = float(np.exp(rng.uniform(np.log(0.5), np.log(1.6))))
    lens = replace(stand.objective, magnification=stand.objective.magnification * zoom)
    chosen = replace(
        scenario,
        sample=replace(scenario.sample, cells=more),
        microscope=replace(stand, objective=lens),
        channels={channel: scenario.channels[channel]},
    )
    focus = scenario.channels[channel].z_um + float(rng.normal(0, 0.7))
    return Plan(chosen, around(chosen, rng, channel, FIELDS, (SIDE, SIDE), z_um=focus))


def _light(field: Field, rng: np.random.Generator) -> list[Array]:
    """Without background, in units of its brightest pixels; none of an empty field."""
    photons = field.snap.photons
    low, high = np.percentile(photons, (1, 99.8))
    return [np.clip((photons - low) / (high - low), 0, 4).astype(np.float16)] if high - low > 1 else []


def _arrays(examples: Sequence[Array]) -> dict[str, Array]:
    return {"light": np.stack(examples).astype(np.float16)}


RECIPES = [Recipe(f"{scenario}-{channel}", scenario, partial(_plan, channel), _light) for scenario, channel in KINDS]
