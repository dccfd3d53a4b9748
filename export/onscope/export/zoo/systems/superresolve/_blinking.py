"""Movies of single molecules that blink along microtubules, beside the density of all molecules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from onscope.specimen import View
from onscope.specimen.sample import BlinkingEmitters
from onscope.specimen.scenarios import Scenario, as_specimen, read_scenario

from ...recipes import Field, Part, Plan, Recipe, around
from .._bank import bank

Array = npt.NDArray[Any]
SCENARIO, CHANNEL = "spots", "emitters"
SIDE, FRAMES, SCALE = 128, 60, 4
"""Pixels and frames of a movie, and fine pixels per pixel."""
WIDTH_UM = 0.04
"""Standard deviation to which the molecules' density is blurred: somewhat more than localisations are wrong by."""
SEEN_UM = 0.35
"""Height at which a molecule counts half: the evanescent field is weaker there than most localisations need."""
LEVEL = 60.0
"""Molecules per um of a filament that make the density reach 1 in its middle: somewhat more than the scenario's 50."""


def training(count: int) -> tuple[Array, Array]:
    """Movies of `count` specimens, counts uint16 (n, FRAMES, SIDE, SIDE), and densities float16 (n, 4 SIDE, 4 SIDE)."""
    found = bank(RECIPE, Part.TRAINING, count, _arrays)
    return found["movies"], found["density"]


def held_out(number: int, part: Part = Part.HELD_OUT) -> tuple[Array, Array]:
    """The same of one specimen, counts (FRAMES, SIDE, SIDE) and float32 (4 SIDE, 4 SIDE)."""
    found = bank(RECIPE, part, 1, _arrays, first=number)
    return found["movies"][0], found["density"][0].astype(np.float32)


def density(places_um: Array, view: View) -> Array:
    """How many molecules are where on fine pixels (rows, columns), 1 in the middle of a filament of `LEVEL` per um.

    `places_um` are rows z, y, x. Those above `SEEN_UM` fade away, as the light that reaches them does.
    """
    z, y, x = places_um
    rows, columns = view.pixels(y, x)
    shares = 1 / (1 + (z / SEEN_UM) ** 8)
    edges = [np.arange(size + 1) - 0.5 for size in view.shape]
    counted = np.histogram2d(rows, columns, bins=edges, weights=shares)[0]
    sigma = WIDTH_UM / view.pixel_um
    top = LEVEL * view.pixel_um / (sigma * np.sqrt(2 * np.pi))  # of a line's middle behind the blur
    return np.asarray(gaussian_filter(counted, sigma, mode="constant") / top, np.float32)


def _plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    return Plan(scenario, around(scenario, rng, CHANNEL, 1, (SIDE, SIDE)))


def _movie(field: Field, rng: np.random.Generator) -> list[tuple[Array, Array]]:
    """A movie at a random brightness, density of filaments and of shining molecules."""
    scenario = read_scenario(SCENARIO)
    emitters = scenario.sample.emitters
    assert emitters is not None
    emitters = replace(
        emitters,
        filaments=round(emitters.filaments * rng.uniform(0.5, 1.8)),
        off_s=emitters.off_s * float(np.exp(rng.uniform(np.log(0.6), np.log(2)))),
        molecules=emitters.molecules * float(np.exp(rng.uniform(np.log(0.6), np.log(1.8)))),
    )
    specimen = as_specimen(replace(scenario, sample=replace(scenario.sample, emitters=emitters)), field.seed)
    began, exposure_s = specimen.time_s, specimen.channels[CHANNEL].exposure_s
    frames = []
    for frame in range(FRAMES):
        specimen.advance(began + frame * exposure_s)
        frames.append(specimen.snap(field.shot.stage_um, CHANNEL, shape=(SIDE, SIDE), truth=False).counts)
    sample = cast(BlinkingEmitters, specimen.sample)
    fine = View(field.shot.stage_um, (SCALE * SIDE, SCALE * SIDE), specimen.pixel_um / SCALE)
    return [(np.stack(frames), density(sample.places_um, fine))]


def _arrays(examples: Sequence[tuple[Array, Array]]) -> dict[str, Array]:
    movies, densities = zip(*examples, strict=True)
    return {"movies": np.stack(movies), "density": np.stack(densities).astype(np.float16)}


RECIPE: Recipe[tuple[Array, Array]] = Recipe("blinking", SCENARIO, _plan, _movie)
