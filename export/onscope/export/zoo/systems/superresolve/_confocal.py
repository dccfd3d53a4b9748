"""The same cells in wide field and in a confocal microscope with the same lens, noise-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen import View, fluorophore_of
from onscope.specimen.scenarios import Scenario, as_specimen, read_scenario

from ...recipes import Field, Part, Plan, Recipe, around
from .._bank import bank

Array = npt.NDArray[Any]
KINDS = (("label-free", "mitochondria"), ("label-free", "membranes"), ("dividing-cells", "nuclei"))
"""Scenarios, which are seen through 40x/0.95, and their channels."""
SIDE, SCALE = 256, 2
"""Fine pixels, half as large as the scenario's camera has them."""
FIELDS = 3
"""Of each specimen, in random places."""
PASSED = 0.68
"""Share of a thin sheet's light, in focus, that a pinhole of 1 Airy unit passes: confocal images are divided by it."""


LEAST = 0.1
"""Of the wide field's brightness: fields that are darker in the confocal image lie out of focus altogether."""


def training(count: int) -> Array:
    """Light of `count` specimens of each kind, 0 to about 1, float16 (n, 2, SIDE, SIDE): wide field, confocal."""
    return np.concatenate([bank(recipe, Part.TRAINING, count, _arrays)["light"] for recipe in RECIPES])


def held_out(kind: int, number: int, part: Part = Part.HELD_OUT) -> Array:
    """The same of the first field of one specimen, float32 (2, SIDE, SIDE)."""
    light = bank(RECIPES[kind], part, 1, _arrays, first=number)["light"]
    return np.asarray(light[0], np.float32)


def _plan(channel: str, scenario: Scenario, rng: np.random.Generator) -> Plan:
    return Plan(scenario, around(scenario, rng, channel, FIELDS, (SIDE // SCALE, SIDE // SCALE)))


def _both(scenario: str, channel: str, field: Field, rng: np.random.Generator) -> list[Array]:
    """The field on fine pixels both ways, a little out of focus, at a random density of cells.

    Light is in units of the wide field's brightest pixels above its darkest; a thin sheet in focus is as bright both
    ways, whatever lies above and below it is dimmer in the confocal image.
    """
    chosen = read_scenario(scenario)
    cells = chosen.sample.cells
    assert cells is not None
    more = replace(cells, count=max(20, round(cells.count * rng.uniform(0.4, 1.3))))
    specimen = as_specimen(replace(chosen, sample=replace(chosen.sample, cells=more)), field.seed)
    how = specimen.channels[channel]
    assert how.dye is not None
    view = View(field.shot.stage_um, (SIDE, SIDE), specimen.pixel_um / SCALE)
    z_um = how.z_um + float(rng.normal(0, 0.4))
    dye = fluorophore_of(specimen.sample, how.dye)
    wide, confocal = (
        replace(specimen.microscope, mode=mode).image(
            specimen.sample, view, how.dye, z_um, how.illumination, how.exposure_s, fluorophore=dye
        )
        for mode in ("widefield", "confocal")
    )
    low, high = np.percentile(wide, (1, 99.8))
    if high < 2 * low:  # medium alone, or one even cell
        return []
    confocal = (confocal - np.percentile(confocal, 1)) / PASSED
    if np.percentile(confocal, 99.8) < LEAST * (high - low):
        return []
    return [np.clip(np.stack([wide - low, confocal]) / (high - low), -0.5, 6).astype(np.float16)]


def _arrays(examples: Sequence[Array]) -> dict[str, Array]:
    return {"light": np.stack(examples)}


RECIPES = [
    Recipe(f"confocal-{scenario}-{channel}", scenario, partial(_plan, channel), partial(_both, scenario, channel))
    for scenario, channel in KINDS
]
