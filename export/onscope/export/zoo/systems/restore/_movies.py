"""Movies without noise, of what moves, divides and blinks, at many speeds; noise comes from cameras drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen.sample import BeadSettings
from onscope.specimen.scenarios import Scenario
from onscope.specimen.sensor import EMCCD, Emccd, Sensor

from ..._scenes import random_sensor
from ...recipes import Field, Part, Plan, Recipe, Shot, around
from .._bank import bank
from .._structures import BACKGROUND_PHOTONS, PEAK_PHOTONS

Array = npt.NDArray[Any]
LOW, HIGH = 3.0, 99.8
"""Percentiles of a window that become 0 and 1."""

FRAMES, SIDE = 20, 112
EMCCD_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Kind:
    """Movies of one channel of a scenario: the time between frames is drawn from `interval_s`, on a logarithmic scale.

    `zoom` is the range of the magnification, over the scenario's own.
    """

    name: str
    scenario: str
    channel: str
    interval_s: tuple[float, float]
    zoom: tuple[float, float]


KINDS = (
    Kind("crawling nuclei", "dividing-cells", "nuclei", (5.0, 120.0), (0.3, 0.8)),
    Kind("membranes", "dividing-cells", "membranes", (5.0, 120.0), (0.35, 0.9)),
    Kind("mitochondria", "label-free", "mitochondria", (5.0, 120.0), (0.5, 1.3)),
    Kind("growing bacteria", "bacteria", "bodies", (10.0, 60.0), (0.4, 0.8)),
    Kind("blinking molecules", "spots", "emitters", (0.03, 0.06), (0.7, 1.3)),
    Kind("diffusing beads", "spots", "beads", (0.01, 0.04), (0.4, 1.0)),
)


@dataclass(frozen=True, slots=True, eq=False)
class Movie:
    """Noisy counts uint16 (t, y, x) and what a camera without noise would count, float32 (t, y, x)."""

    counts: npt.NDArray[np.uint16]
    truth: npt.NDArray[np.float32]


def movies(part: Part, count: int) -> Array:
    """Noise-free movies, float16 (n, FRAMES, SIDE, SIDE), 0 to about 1, of `count` specimens of each of `KINDS`."""
    return np.concatenate([bank(recipe, part, count, _arrays)["light"] for recipe in RECIPES])


def held_out(kind: int, number: int) -> Array:
    """The movie of a held-out specimen of one of `KINDS`, float32 (FRAMES, SIDE, SIDE)."""
    light = bank(RECIPES[kind], Part.HELD_OUT, 1, _arrays, first=number)["light"]
    return np.asarray(light[0], np.float32)


def filmed(light: Array, rng: np.random.Generator, peak: float | None = None) -> Movie:
    """Light (t, y, x) from 0 to 1 at a random level (or `peak` photons) through one random camera."""
    low, high = np.log(PEAK_PHOTONS)
    photons = light * (np.exp(rng.uniform(low, high)) if peak is None else peak)
    photons = photons + np.exp(rng.uniform(*np.log(BACKGROUND_PHOTONS)))
    camera: Sensor | Emccd = random_sensor(rng)
    if rng.random() < EMCCD_SHARE:
        camera = replace(EMCCD, em_gain=float(np.exp(rng.uniform(np.log(30), np.log(300)))))
    counts = np.stack([camera.expose(one, rng) for one in photons])
    return Movie(counts, camera.expected_counts(photons).astype(np.float32))


def _plan(kind: Kind, scenario: Scenario, rng: np.random.Generator) -> Plan:
    """One movie: a random place, magnification, focus and speed; the stage creeps in a half of them."""
    stand = scenario.microscope
    magnification = stand.objective.magnification * _log(rng, kind.zoom)
    lens = replace(stand.objective, magnification=magnification)
    chosen = replace(scenario, microscope=replace(stand, objective=lens))
    chosen = _populated(chosen, kind, rng)
    focus = chosen.channels[kind.channel].z_um + float(rng.normal(0, 0.3))
    first = _place(chosen, kind, rng)
    interval = _log(rng, kind.interval_s)
    creep = rng.normal(0, 0.15, 2) * chosen.optics.pixel_um * (rng.random() < 0.5)
    shots = tuple(
        Shot(
            n * interval,
            (first[0] + n * float(creep[0]), first[1] + n * float(creep[1])),
            kind.channel,
            (SIDE, SIDE),
            z_um=focus,
        )
        for n in range(FRAMES)
    )
    return Plan(chosen, shots)


def _populated(scenario: Scenario, kind: Kind, rng: np.random.Generator) -> Scenario:
    """The scenario with as many of its own things as a random density makes, and with the one channel alone."""
    sample = scenario.sample
    light = scenario.channels.get(kind.channel)
    if sample.cells is not None:
        count = max(20, round(sample.cells.count * rng.uniform(0.4, 1.3)))
        sample = replace(sample, cells=replace(sample.cells, count=count))
    elif kind.channel == "beads":
        size = (40.0, 40.0)
        beads = BeadSettings(
            round(_log(rng, (20, 400))),
            size,
            height_um=2.0,
            diameter_um=_log(rng, (0.1, 0.5)),
            viscosity_pa_s=_log(rng, (2e-3, 5e-2)),
            stuck_fraction=float(rng.uniform(0, 0.3)),
        )
        sample = replace(sample, emitters=None, beads=beads)
        stand = replace(scenario.microscope, mode="widefield")
        light = replace(scenario.channels["emitters"], dye="beads", z_um=1.0)
        scenario = replace(scenario, microscope=stand)
    elif sample.emitters is not None:
        more = replace(sample.emitters, on_s=_log(rng, (0.03, 0.6)), off_s=_log(rng, (1.0, 10.0)))
        sample = replace(sample, emitters=more)
    assert light is not None
    return replace(scenario, sample=sample, channels={kind.channel: light})


def _place(scenario: Scenario, kind: Kind, rng: np.random.Generator) -> tuple[float, float]:
    if kind.scenario == "bacteria":  # which lie in their channels only
        y, x = scenario.acquisition.stage_um
        return y + float(rng.uniform(-8, 8)), x + float(rng.uniform(-100, 100))
    return around(scenario, rng, kind.channel, 1, (SIDE, SIDE))[0].stage_um


def _frame(field: Field, rng: np.random.Generator) -> list[Array]:
    return [field.snap.photons]


def _arrays(examples: Sequence[Array]) -> dict[str, Array]:
    """Movies without background, in units of their brightest pixels; empty ones are left out."""
    found = []
    for start in range(0, len(examples), FRAMES):
        movie = np.stack(examples[start : start + FRAMES])
        low, high = np.percentile(movie, (1, 99.8))
        if high - low > 1:
            found.append(np.clip((movie - low) / (high - low), 0, 4).astype(np.float16))
    return {"light": np.stack(found)}


def _log(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(ends))))


RECIPES = [Recipe(f"movies-{kind.channel}", kind.scenario, partial(_plan, kind), _frame) for kind in KINDS]
