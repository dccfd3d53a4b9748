"""Filaments under structured light, noise-free, beside what the stripes can show of them at most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen import View
from onscope.specimen.optics import EGFP, Stripes
from onscope.specimen.scenarios import Scenario, as_specimen, read_scenario

from ...recipes import Field, Part, Plan, Recipe, around
from .._bank import bank

Array = npt.NDArray[Any]
SCENARIO, DYE, CHANNEL = "sim", "filaments", "filaments a1 p1"
ANGLES, PHASES, SCALE = 3, 3, 2
PERIOD_UM, FIRST_DEG = 0.28, 10.0
"""Of the scenario's stripes; each field's differ a little."""
SIDE = 160
"""Raw pixels."""
FIELDS = 4
"""Of each specimen, in random places."""
CELL_PHOTONS = 150.0
"""Of a field's brightest pixels as the scenario lights it: with fewer there is next to no cell in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Striped:
    """Noise-free light: `raw` float32 (9, y, x), all phases of the first angle first; `fine` (2y, 2x), as bright; the
    `stripes` of each raw image, seen from the middle of the field."""

    raw: Array
    fine: Array
    stripes: tuple[Stripes, ...]


def training(count: int) -> tuple[Array, Array]:
    """Light of `count` specimens' fields, 0 to about 1: raw (n, 9, SIDE, SIDE), fine (n, 2 SIDE, 2 SIDE); float16."""
    found = bank(RECIPE, Part.TRAINING, count, _arrays)
    return found["raw"], found["fine"]


def held_out(number: int, part: Part = Part.HELD_OUT) -> Striped:
    """The first field of one specimen."""
    found = bank(RECIPE, part, 1, _arrays, first=number)
    stripes = tuple(Stripes(*map(float, row)) for row in found["stripes"][0])
    return Striped(found["raw"][0].astype(np.float32), found["fine"][0].astype(np.float32), stripes)


def sharpest(emission_um: float, na: float, period_um: float = PERIOD_UM) -> float:
    """The share of the emission's wavelength at which the lens alone would pass what it passes with the stripes."""
    cutoff = 2 * na / emission_um
    return cutoff / (cutoff + 1 / period_um)


def _plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    return Plan(scenario, around(scenario, rng, CHANNEL, FIELDS, (SIDE, SIDE)))


def _striped(field: Field, rng: np.random.Generator) -> list[Striped]:
    """The field under stripes that are a little different each time, on a specimen of its seed, a little out of focus.

    The fine image is what the same lens makes of even light when the wavelength is so much shorter that it passes the
    frequencies of light and stripes together: nothing that the raw images do not hold.
    """
    scenario = read_scenario(SCENARIO)
    cells = scenario.sample.cells
    assert cells is not None
    cells = replace(cells, count=round(cells.count * rng.uniform(0.5, 1.5)))
    specimen = as_specimen(replace(scenario, sample=replace(scenario.sample, cells=cells)), field.seed)
    scope, light = specimen.microscope, specimen.channels[CHANNEL].illumination
    z_um = specimen.channels[CHANNEL].z_um + float(rng.normal(0, 0.08))
    stripes = _stripes(rng)

    def image(zoom: int, pattern: Stripes | None, share: float = 1.0) -> Array:
        view = View(field.shot.stage_um, (SIDE * zoom, SIDE * zoom), specimen.pixel_um / zoom)
        dye = replace(EGFP, emission_nm=EGFP.emission_nm * share)
        how = replace(light, pattern=pattern)
        return scope.image(specimen.sample, view, DYE, z_um, how, 0.03, fluorophore=dye) * np.float32(zoom * zoom)

    raw = np.stack([image(1, one) for one in stripes])
    brightest = float(np.percentile(raw.mean(axis=0), 99.8))
    if brightest < CELL_PHOTONS:
        return []
    fine = image(SCALE, None, sharpest(EGFP.emission_nm / 1000, scope.objective.na, stripes[0].period_um))
    return [Striped(raw / brightest, fine / brightest, stripes)]


def _stripes(rng: np.random.Generator) -> tuple[Stripes, ...]:
    period, first = PERIOD_UM * rng.uniform(0.98, 1.02), FIRST_DEG + rng.uniform(-1, 1)
    contrast = float(rng.uniform(0.7, 0.95))
    starts = rng.uniform(0, 2 * math.pi, ANGLES)
    return tuple(
        Stripes(
            float(period),
            math.radians(first) + math.pi * angle / ANGLES,
            float(starts[angle] + 2 * math.pi * phase / PHASES),
            contrast,
        )
        for angle in range(ANGLES)
        for phase in range(PHASES)
    )


def _arrays(examples: Sequence[Striped]) -> dict[str, Array]:
    return {
        "raw": np.stack([one.raw for one in examples]).astype(np.float16),
        "fine": np.stack([one.fine for one in examples]).astype(np.float16),
        "stripes": np.array(
            [[(s.period_um, s.angle_rad, s.phase_rad, s.modulation) for s in one.stripes] for one in examples]
        ),
    }


RECIPE: Recipe[Striped] = Recipe("sim-filaments", SCENARIO, _plan, _striped)
