"""Recipes for crops of nuclei: cultures in division, cultures that die, and cultures as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onscope.specimen.sample import CellSettings
from onscope.specimen.scenarios import Scenario
from onscope.specimen.sensor import EMCCD, Emccd, Sensor

from ._crops import OF_KIND, PIXEL_UM, Crop, crops
from .recipes import Field, Plan, Recipe, Shot
from .recipes._nuclei import DRY_LENSES

Array = npt.NDArray[Any]

MOST_ALIKE = 12
"""Crops of one kind that are kept of a field for training: of some there are plenty, and they have much in common."""
SCALE_SPREAD = 0.1
"""Log-normal spread of the crops' pixel size in training: that of a microscope is not always what is believed."""

_AREA_UM2 = 480.0  # per cell of a closed epithelium, see CellSettings


def dividing(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """A culture with many cells in mitosis and a cycle of hours, looked at six times within one and a half."""
    cells = replace(
        cells_of(rng), mitotic_fraction=rng.uniform(0.4, 0.9), cycle_h=rng.uniform(1, 4), deaths_per_hour=0.02
    )
    return _plan(scenario, rng, cells, np.cumsum(rng.uniform(300, 1500, 6)) - 300, young=True)


def dying(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """A culture that dies by chance, or of violet light, looked at five times within some hours."""
    cells = replace(cells_of(rng), mitotic_fraction=rng.uniform(0.1, 0.4), deaths_per_hour=rng.uniform(0.1, 0.6))
    plan = _plan(scenario, rng, cells, np.cumsum(rng.uniform(300, 3600, 5)))
    if rng.random() < 0.5:
        return plan
    # 50 J/cm2 at 405 nm kill the median cell: see the sample's `lethal_dose_j_cm2`.
    lit = plan.scenario.channels["violet"]
    seconds = 50 * math.exp(rng.normal(0, 0.3)) * (lit.field_um * 1e-4) ** 2 / (lit.power_mw * 1e-3)
    light = replace(plan.shots[0], after_s=0.0, channel="violet", exposure_s=seconds)
    return replace(plan, shots=(light, *plan.shots))


def natural(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """An undisturbed culture: as many divide as its cycle asks for, 1 % die per hour; looked at twice, 4 h apart."""
    cells = replace(cells_of(rng), mitotic_fraction=None, cycle_h=rng.uniform(16, 24), deaths_per_hour=0.01)
    age = rng.uniform(2, 8) * 3600
    return _plan(scenario, rng, cells, np.array([age, age + 4 * 3600]))


def few_alike(field: Field, rng: np.random.Generator) -> Sequence[Crop]:
    """Crops for training: at most `MOST_ALIKE` of a kind and field, and not all quite in scale."""
    if field.shot.channel != "nuclei":
        return []
    wanted_um = PIXEL_UM * math.exp(rng.normal(0, SCALE_SPREAD))
    found = crops(field.counts, field.truth, field.pixel_um, rng, wanted_um)
    kept: list[Crop] = []
    for kind in OF_KIND:
        alike = [one for one in found if one.kind == kind]
        kept += [alike[n] for n in rng.permutation(len(alike))[:MOST_ALIKE]]
    return kept


def all_in_scale(field: Field, rng: np.random.Generator) -> Sequence[Crop]:
    """Every crop of a field, in scale."""
    return crops(field.counts, field.truth, field.pixel_um, rng) if field.shot.channel == "nuclei" else []


DIVIDING = Recipe("dividing", "dividing-cells", dividing, few_alike)
DYING = Recipe("dying", "dividing-cells", dying, few_alike)
DIVIDING_IN_SCALE = Recipe("dividing in scale", "dividing-cells", dividing, all_in_scale)
DYING_IN_SCALE = Recipe("dying in scale", "dividing-cells", dying, all_in_scale)
NATURAL = Recipe("natural", "dividing-cells", natural, all_in_scale)


def cells_of(rng: np.random.Generator) -> CellSettings:
    """A culture of some adherent line; its number of cells follows its field (`_plan`)."""
    return CellSettings(
        count=1,
        touch=rng.uniform(0.65, 1.0),
        elongation=rng.uniform(1.1, 2.2),
        spikiness=rng.uniform(0, 1),
        nucleus_um=rng.uniform(11, 16),
        height_um=rng.uniform(2.6, 5),
        expression_spread=rng.uniform(0.2, 0.6),
        prophase_min=rng.uniform(10, 18),
        metaphase_min=rng.uniform(22, 40),
        anaphase_min=rng.uniform(6, 10),
        telophase_min=rng.uniform(13, 23),
    )


def _plan(
    scenario: Scenario, rng: np.random.Generator, cells: CellSettings, after_s: Array, young: bool = False
) -> Plan:
    objective = DRY_LENSES[int(rng.integers(len(DRY_LENSES)))]
    kind: Literal["scmos", "emccd"] = "emccd" if rng.random() < 0.1 and objective.magnification > 10 else "scmos"
    camera = replace(scenario.camera, kind=kind)
    pixel = camera.pixel_um / objective.magnification
    field_um = min(220.0, 750 * pixel)
    side = round(field_um / pixel)
    extent = field_um + 60
    density = rng.uniform(0.5, 1.1) / (_AREA_UM2 * cells.touch)
    cells = replace(cells, count=max(round(extent**2 * density), 10), extent_um=(extent, extent))
    nuclei = replace(
        scenario.channels["nuclei"],
        power_mw=math.exp(rng.uniform(math.log(0.3), math.log(8))),
        exposure_ms=50.0,
        field_um=350.0,
        unevenness=rng.uniform(0, 0.4),
        z_um=float(np.clip(rng.normal(3.0, 1.8), -1, 9)),
    )
    violet = replace(nuclei, dye=None, wavelength_nm=405.0, power_mw=10.0, emission_nm=None)
    stand = replace(scenario.microscope, objective=objective, medium_per_um3=rng.uniform(0, 120))
    shown = replace(
        scenario,
        sample=replace(scenario.sample, cells=cells, age_s=float(rng.uniform(60, 600 if young else 3600))),
        channels={"nuclei": nuclei, "violet": violet},
        microscope=stand,
        camera=camera,
    )
    middle = (extent / 2, extent / 2)
    shots = tuple(Shot(float(after), middle, "nuclei", (side, side)) for after in after_s)
    return Plan(shown, shots, _sensor(rng, kind))


def _sensor(rng: np.random.Generator, kind: str) -> Sensor | Emccd:
    if kind == "emccd":
        return replace(EMCCD, em_gain=rng.uniform(30, 200))
    bits = int(rng.choice([12, 16]))
    return Sensor(
        gain_counts_per_electron=math.exp(rng.uniform(math.log(0.15), math.log(0.8 if bits == 12 else 4))),
        offset_counts=rng.uniform(50, 500),
        read_noise_electrons=rng.uniform(1, 3),
        bit_depth=bits,
        pattern_seed=int(rng.integers(1 << 16)),
    )
