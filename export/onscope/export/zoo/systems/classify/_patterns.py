"""Frames of one labelled structure of cells each: where in the cell the label is, is what classifiers learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen.scenarios import Scenario

from ...recipes import Field, Part, Plan, Recipe, Shot, around
from .._bank import bank
from .._structures import Frame, behind_a_camera

Array = npt.NDArray[Any]

NAMES = ("nucleus", "plasma membrane", "cytosol", "mitochondria", "actin filaments")
"""Classes, in the order of `DYES`."""
DYES = ("nucleus", "membrane", "cytoplasm", "mitochondria", "filaments")
SIDE, SEEN = 256, 128
"""Pixels of a simulated field's side, and of a classified frame's."""
SPECIMENS = 60
"""Of the training part; each is seen once in every dye."""
FIELDS = 1


def plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """Cells at a random density and with many shapes, seen at random sharpness: pixels of 0.12 to 0.4 um, focus off."""
    cells = scenario.sample.cells
    assert cells is not None
    more = replace(
        cells,
        count=max(20, round(cells.count * rng.uniform(0.4, 1.2))),
        elongation=float(rng.uniform(1.0, 2.2)),
        spikiness=float(rng.uniform(0, 1)),
        mitotic_fraction=float(rng.uniform(0, 0.15)),
        expression_spread=float(rng.uniform(0.2, 0.6)),
    )
    stand = scenario.microscope
    zoom = float(np.exp(rng.uniform(np.log(0.4), np.log(1.35))))
    lens = replace(stand.objective, magnification=stand.objective.magnification * zoom)
    green, red = scenario.channels["membranes"], scenario.channels["nuclei"]
    channels = {name: replace(red if name == "nucleus" else green, dye=name) for name in DYES}
    chosen = replace(
        scenario,
        sample=replace(scenario.sample, cells=more),
        microscope=replace(stand, objective=lens, mode="confocal" if rng.random() < 0.3 else "widefield"),
        channels=channels,
    )
    place = around(chosen, rng, DYES[0], FIELDS, (SIDE, SIDE))[0].stage_um
    shots = [Shot(0.0, place, name, (SIDE, SIDE), z_um=float(np.clip(rng.normal(2.5, 1.2), 0, 6))) for name in DYES]
    return Plan(chosen, tuple(shots))


def light(field: Field, rng: np.random.Generator) -> list[Array]:
    """Without background, in units of its brightest pixels, float16 (SIDE, SIDE); nothing is drawn."""
    photons = field.snap.photons
    low, high = np.percentile(photons, (0.5, 99.8))
    return [np.clip((photons - low) / max(high - low, 1e-6), 0, 4).astype(np.float16)]


def patterns(part: Part, count: int, first: int = 0) -> Array:
    """Noise-free structures, float16 (count, dyes, SIDE, SIDE), of a part's specimens."""
    told = bank(PATTERNS, part, count, _arrays, first=first)["light"]
    return np.asarray(told.reshape(-1, len(DYES), SIDE, SIDE))


def seen(structure: Array, rng: np.random.Generator, peak: float | None = None) -> Frame:
    """A structure (y, x) behind a random camera, of `peak` photons in its brightest pixels (None: a random number)."""
    return behind_a_camera(structure.astype(np.float32), rng, peak)


def _arrays(examples: Sequence[Array]) -> dict[str, Array]:
    return {"light": np.stack(examples)}


PATTERNS = Recipe("patterns", "dividing-cells", plan, light)
