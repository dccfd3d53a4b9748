"""Stacks of bright field and what the same cells are labelled with, without noise; cameras are drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen.scenarios import Scenario

from ..._scenes import random_sensor
from ...recipes import Field, Part, Plan, Recipe, Shot, around
from .._bank import bank

Array = npt.NDArray[Any]

PLANES, STEP_UM = 8, 0.8
SIDE = 160
FIELDS = 2
PIXEL_UM = 0.325
"""Pixels that the networks are for; in the training they are up to 12 % smaller or larger."""
MIDDLE_UM = (2.5, 6.5)
"""Height of the middle of a stack above the coverslip. Cells are some 4 um high."""
LABELS = ("nuclei", "membranes", "mitochondria")
BRIGHT = {"nuclei": 20000.0, "membranes": 4000.0, "mitochondria": 5000.0}
"""Photons per um2 of a bright structure of each label, which become 1: chosen."""
LIGHT_PHOTONS = (300.0, 10000.0)
"""Of the bright field in a pixel, as far as the camera takes them."""
FILL = 0.6
"""Share of the full well, or of the converter's range, that bright field fills at most."""
CROWD = 38
EXTENT_UM = 150.0
"""As many cells on so much of a side are as dense as the scenario's."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Float16 arrays of one field without noise: `light` (PLANES, y, x), bright field relative to its mean;
    `nuclei` (PLANES, y, x), the fluorescence of the nuclei in the same planes; `labels` (3, y, x), `LABELS` in the
    scenario's own focal planes. Fluorescence is 0 to about 1, see `BRIGHT`."""

    light: Array
    nuclei: Array
    labels: Array


def cells(part: Part, count: int, first: int = 0) -> list[Cells]:
    """The fields of a part's specimens `first` and so on, `FIELDS` of each."""
    found = bank(RECIPE, part, count, _arrays, first=first)
    return [Cells(*one) for one in zip(found["light"], found["nuclei"], found["labels"], strict=True)]


def held_out(number: int) -> Cells:
    """The first field of a held-out specimen."""
    return cells(Part.HELD_OUT, 1, number)[0]


def through_a_camera(light: Array, rng: np.random.Generator, photons: float | None = None) -> npt.NDArray[np.uint16]:
    """Counts (planes, y, x) of relative light at a random level (or `photons` in a pixel) before a random sensor."""
    camera = random_sensor(rng)
    level = float(np.exp(rng.uniform(*np.log(LIGHT_PHOTONS)))) if photons is None else photons
    counts = 2**camera.bit_depth - 1 - camera.offset_counts
    full = min(camera.full_well_electrons, counts / camera.gain_counts_per_electron)
    level = min(level, FILL * full / camera.quantum_efficiency)
    return np.stack([camera.expose(plane.astype(np.float32) * level, rng) for plane in light])


def _plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """Cells at a random density; two fields, each as stacks of bright field and nuclei and as labels in focus."""
    own = scenario.sample.cells
    assert own is not None
    count = max(4, round(CROWD * rng.uniform(0.3, 1.4)))
    own = replace(own, count=count, extent_um=(EXTENT_UM, EXTENT_UM), mitotic_fraction=float(rng.uniform(0, 0.12)))
    own = replace(own, elongation=float(rng.uniform(1.0, 1.9)), nucleus_um=float(rng.uniform(11, 15)))
    stand = scenario.microscope
    pixel = PIXEL_UM * float(np.exp(rng.uniform(np.log(0.88), np.log(1.12))))
    lens = replace(stand.objective, magnification=scenario.camera.pixel_um / pixel)
    chosen = replace(scenario, sample=replace(scenario.sample, cells=own), microscope=replace(stand, objective=lens))
    middle = float(rng.uniform(*MIDDLE_UM))
    heights = [middle + (n - (PLANES - 1) / 2) * STEP_UM for n in range(PLANES)]
    shots: list[Shot] = []
    for place in around(chosen, rng, "nuclei", FIELDS, (SIDE, SIDE)):
        shots += [replace(place, channel="transmitted", z_um=z) for z in heights]
        shots += [replace(place, channel="nuclei", z_um=z) for z in heights]
        shots += [replace(place, channel=label) for label in LABELS]
    return Plan(chosen, tuple(shots))


def _image(field: Field, rng: np.random.Generator) -> list[Array]:
    photons = field.snap.photons
    if field.shot.channel == "transmitted":
        return [photons / np.float32(photons.mean())]
    bright = BRIGHT[field.shot.channel] * field.pixel_um**2
    return [(photons - np.percentile(photons, 1)) / np.float32(bright)]


def _arrays(examples: Sequence[Array]) -> dict[str, Array]:
    images = np.stack(examples).astype(np.float16)
    fields = images.reshape(-1, 2 * PLANES + len(LABELS), SIDE, SIDE)
    return {
        "light": fields[:, :PLANES],
        "nuclei": fields[:, PLANES : 2 * PLANES],
        "labels": fields[:, 2 * PLANES :],
    }


RECIPE = Recipe("label-free", "label-free", _plan, _image)
