"""The recipe for nuclei: cultures, microscopes and cameras of many kinds, and every nucleus by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.specimen.optics import Drift, LightPath, Objective
from onscope.specimen.sample import CellSettings
from onscope.specimen.scenarios import Scenario
from onscope.specimen.sensor import EMCCD, Emccd, Sensor

from .._stars import targets
from ._instances import instances, laid_over
from ._recipe import Field, Plan, Recipe, around

Array = npt.NDArray[Any]

SIDE = 255
"""Pixels of a field's side: odd, so that every second pixel stays one when the field is turned over."""
FIELDS = 4
"""Of each specimen, in random places: a second look at one place would show bleached cells."""

DRY_LENSES = (
    Objective(10, 0.3, 1.0),
    Objective(10, 0.45, 1.0),
    Objective(20, 0.5, 1.0),
    Objective(20, 0.75, 1.0),
    Objective(40, 0.75, 1.0),
    Objective(40, 0.95, 1.0),
)
"""What nuclei of living cultures are commonly looked at with: pixels of 0.1625 to 0.65 um on a chip of 6.5 um."""
LENSES = (*DRY_LENSES, Objective(60, 1.4, 1.515))
PHOTONS = 1.0e6
"""That a pixel in a nucleus of the default cells gets per W/cm2 of 561 nm, s of exposure, um2 of a pixel and share of
light that the objective collects: measured on the specimen, within 20 % from 10x/0.30 to 60x/1.40."""
CHANNEL = "nuclei"
PERCENTILES = (1.0, 99.8)
"""Of a frame that become 0 and 1: what networks for star-convex objects usually take."""
LEAST_SPAN = 0.1
"""Counts that are added to the span between the two: without any contrast, one count is not the whole range."""
LAID_OVER, STRETCH, VARIANTS = 0.4, 1.9, 2
"""For the training: share of the fields in which nuclei lie over each other, the most that a field is stretched in one
direction, and how many such fields are made of one."""


@dataclass(frozen=True, slots=True, eq=False)
class Nuclei:
    """A field as the camera gives it, uint16 (rows, columns), and its nuclei, int32 of the same shape, 0 for none."""

    counts: npt.NDArray[np.uint16]
    labels: npt.NDArray[np.int32]
    pixel_um: float


@dataclass(frozen=True, slots=True, eq=False)
class Stars:
    """A normalised frame (rows, columns) and at every second pixel the object probability and the distances.

    All float16: `frame` is 0 and 1 at its `PERCENTILES`; `chance` and `distances` are `targets` of the labels.
    """

    frame: npt.NDArray[np.float16]
    chance: npt.NDArray[np.float16]
    distances: npt.NDArray[np.float16]


def plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """A culture, sparse to crowded, with much mitosis and death; a lens, light, focus and a camera, all at random.

    Pixels are 0.15 to 1 um in the sample, so that interphase nuclei are about 12 to 100 pixels wide; a pixel of a
    nucleus gets 8 to 3000 photons.
    """
    lens = LENSES[rng.integers(len(LENSES))]
    pixel = _log(rng, max(0.15, 3.2 / lens.magnification), min(1.0, 13 / lens.magnification))
    lit = replace(
        scenario.channels[CHANNEL], field_um=SIDE * pixel * _log(rng, 1.1, 4.0), unevenness=float(rng.uniform(0, 0.5))
    )
    stand = replace(
        scenario.microscope,
        # a tube lens makes the rest of the magnification
        objective=replace(lens, magnification=scenario.camera.pixel_um / pixel),
        mode="confocal" if rng.random() < 0.12 else "widefield",
        medium_per_um3=_log(rng, 4, 300),
        path=LightPath(float(rng.uniform(0, 0.25)), int(rng.integers(0, 40)), int(rng.integers(2**31))),
        drift=Drift(),
    )
    cells = _cells(rng, max(160.0, 1.5 * SIDE * pixel))
    sample = replace(scenario.sample, cells=cells, age_s=float(rng.uniform(600, 7200)))
    chosen = replace(scenario, sample=sample, microscope=stand, channels={CHANNEL: lit})
    irradiance = lit.power_mw * 1e-3 / (lit.field_um * 1e-4) ** 2
    photons_per_s = PHOTONS * irradiance * pixel**2 * lens.collection
    shots = tuple(
        replace(
            shot,
            z_um=float(np.clip(2.5 + rng.normal(0, 0.5 + 0.4 / lens.na**2), -6, 14)),
            exposure_s=_log(rng, 8, 3000) / photons_per_s,
        )
        for shot in around(chosen, rng, CHANNEL, FIELDS, (SIDE, SIDE))
    )
    return Plan(chosen, shots, _camera(rng))


def pairs(field: Field, rng: np.random.Generator) -> list[Nuclei]:
    """The field as it is; nothing is drawn."""
    return [Nuclei(field.counts, instances(field.truth), field.pixel_um)]


def stars(field: Field, rng: np.random.Generator) -> list[Stars]:
    """The field `VARIANTS` times, stretched and laid over itself, behind its camera again, with what is to be answered.

    In real cultures nuclei overlap and some are three times as long as wide; the specimen's never overlap, and are up
    to 1.7 times as long as wide.
    """
    labels = instances(field.truth)
    found = []
    for _ in range(VARIANTS):
        photons, named = stretched(field.snap.photons, labels, rng)
        if rng.random() < LAID_OVER:
            above, others = stretched(field.snap.photons[::-1, ::-1], labels[::-1, ::-1], rng)
            photons = photons + np.float32(rng.uniform(0.4, 1.6)) * above
            named = laid_over(named, others)
        counts = field.sensor.expose(photons, rng, exposure_s=field.snap.exposure_s).astype(np.float32)
        low, high = np.percentile(counts, PERCENTILES)
        frame = (counts - low) / (high - low + LEAST_SPAN)
        chance, distances = targets(named)
        found.append(Stars(frame.astype(np.float16), chance.astype(np.float16), distances.astype(np.float16)))
    return found


NUCLEI = Recipe("nuclei", "dividing-cells", plan, pairs)
STARS = Recipe("nuclei", "dividing-cells", plan, stars)


def stretched(photons: Array, labels: npt.NDArray[np.int32], rng: np.random.Generator) -> tuple[Array, Array]:
    """Both the same way, about the middle: up to `STRETCH` times as long in one direction, what enters is mirrored."""
    stretch, turn = _log(rng, 1, STRETCH), rng.uniform(0, math.pi)
    along = np.array([math.cos(turn), math.sin(turn)])
    inverse = np.eye(2) - (1 - 1 / stretch) * np.outer(along, along)
    middle = (np.array(labels.shape[::-1]) - 1) / 2
    back = np.column_stack([inverse, middle - inverse @ middle])
    size, border, inward = labels.shape[::-1], cv2.BORDER_REFLECT_101, cv2.WARP_INVERSE_MAP
    drawn = np.ascontiguousarray(photons, np.float32), np.ascontiguousarray(labels, np.float32)
    image = cv2.warpAffine(drawn[0], back, size, flags=cv2.INTER_LINEAR | inward, borderMode=border)
    names = cv2.warpAffine(drawn[1], back, size, flags=cv2.INTER_NEAREST | inward, borderMode=border)
    return np.asarray(image), np.rint(names).astype(np.int32)


def _cells(rng: np.random.Generator, extent_um: float) -> CellSettings:
    nucleus_um = float(rng.uniform(10, 17))
    own_um2 = math.pi / 4 * nucleus_um**2 * _log(rng, 1.5, 10)
    count = 1 if rng.random() < 0.04 else max(2, round(extent_um**2 / own_um2))
    return CellSettings(
        count=count,
        extent_um=(extent_um, extent_um),
        cycle_h=16,
        mitotic_fraction=float(rng.uniform(0, 0.25)),
        deaths_per_hour=float(rng.uniform(0, 0.12)),
        elongation=float(rng.uniform(1.0, 2.3)),
        spikiness=float(rng.uniform(0, 1)),
        touch=float(rng.uniform(0.4, 1.0)),
        nucleus_um=nucleus_um,
        height_um=float(rng.uniform(2.5, 6)),
        expression_spread=float(rng.uniform(0.2, 0.7)),
    )


def _camera(rng: np.random.Generator) -> Sensor | Emccd:
    if rng.random() < 0.1:
        return replace(EMCCD, em_gain=_log(rng, 30, 300))
    return Sensor(
        quantum_efficiency=float(rng.uniform(0.5, 0.95)),
        gain_counts_per_electron=_log(rng, 0.4, 4),
        offset_counts=float(rng.uniform(20, 600)),
        read_noise_electrons=float(rng.uniform(0.8, 6)),
        read_noise_spread=float(rng.uniform(0, 0.5)),
        full_well_electrons=_log(rng, 3000, 30_000),
        bit_depth=int(rng.choice([12, 14, 16])),
        pattern_seed=int(rng.integers(2**31)),
        response_spread=float(rng.uniform(0, 0.02)),
        offset_spread_counts=float(rng.uniform(0, 3)),
        hot_share=_log(rng, 1e-6, 1e-3),
    )


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))
