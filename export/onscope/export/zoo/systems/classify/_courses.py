"""Courses: one place of a culture watched for a while, and at each time what the cell in its middle is doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen.optics import Drift
from onscope.specimen.scenarios import Scenario
from onscope.specimen.sensor import Sensor

from ..._crops import NAMES, OF_KIND, cut
from ..._crops_recipes import cells_of
from ..._scenes import random_sensor
from ...recipes import Field, Part, Plan, Recipe, Shot
from .._bank import bank
from .._structures import exposed

Array = npt.NDArray[Any]

TIMES, INTERVAL_S = 12, 180.0
PIXEL_UM, SIDE, FIELD = 0.325, 64, 320
"""Side of a pixel in um, pixels of a watched place, and of the field that it lies in."""
NEAR_UM = 6.0
"""The cell in the middle is the one whose own middle is nearest, within so much."""
PLACES = 14
"""Of a culture, at most; those where something happens first."""
SPECIMENS = 60
"""Of the training part."""
PEAK_PHOTONS, BACKGROUND_PHOTONS = (3.0, 100.0), (0.5, 10.0)
"""Photons of the brightest pixels of a course's first frame, and of its background, drawn on logarithmic scales."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One time point of a field: mean photons float32 (y, x), and the cells' middles (n, 2) in pixels and classes."""

    photons: npt.NDArray[np.float32]
    places: Array
    names: npt.NDArray[np.int64]


def plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """A culture in which much happens: `TIMES` frames of one field, `INTERVAL_S` apart."""
    extent = FIELD * PIXEL_UM + 50
    cells = replace(
        cells_of(rng),
        mitotic_fraction=float(rng.uniform(0.3, 0.7)),
        cycle_h=float(rng.uniform(1.5, 5)),
        deaths_per_hour=float(rng.uniform(0.05, 0.5)),
        extent_um=(extent, extent),
        count=max(10, round(extent**2 / 480 * rng.uniform(0.5, 0.9))),
    )
    lens = replace(scenario.microscope.objective, magnification=scenario.camera.pixel_um / PIXEL_UM)
    lit = replace(scenario.channels["nuclei"], z_um=float(np.clip(rng.normal(3, 1.0), 0, 7)))
    chosen = replace(
        scenario,
        sample=replace(scenario.sample, cells=cells, age_s=float(rng.uniform(60, 1800))),
        microscope=replace(scenario.microscope, objective=lens, drift=Drift()),
        channels={"nuclei": lit},
    )
    middle = (extent / 2, extent / 2)
    return Plan(chosen, tuple(Shot(time * INTERVAL_S, middle, "nuclei", (FIELD, FIELD)) for time in range(TIMES)))


def seen(field: Field, rng: np.random.Generator) -> list[Seen]:
    """What of a field is kept; nothing is drawn."""
    told = [(row, OF_KIND[kind]) for row, kind in zip(field.truth.objects, field.truth.kinds(), strict=True)]
    view = field.snap.view
    places = [np.ravel(view.pixels(row["y_um"], row["x_um"])) for row, _ in told]
    names = np.array([name for _, name in told], np.int64)
    return [Seen(np.asarray(field.snap.photons, np.float32), np.reshape(places, (-1, 2)), names)]


def watched(field: Sequence[Seen]) -> list[tuple[Array, Array]]:
    """Courses of one field: photons float16 (TIMES, SIDE, SIDE) in units of the brightest pixels, and classes (TIMES,).

    Where a cell of the middle time point is, as far as at every time some cell is in the middle. Places where the class
    changes come first, then those that are not all interphase.
    """
    half = SIDE / 2
    found: list[tuple[int, Array, Array]] = []
    for place in field[len(field) // 2].places:
        if not (half <= place).all() or not (place <= FIELD - 1 - half).all():
            continue
        names = _middle_classes(field, place)
        if names is None:
            continue
        crops = np.concatenate([cut(one.photons, place[None], SIDE) for one in field])
        low, high = np.percentile(crops[0], (1, 99.8))
        light = np.clip((crops - crops.min()) / max(high - low, 1e-6), 0, 30).astype(np.float16)
        found.append((-len(np.unique(names)) if len(np.unique(names)) > 1 else int((names == 0).all()), light, names))
    return [(light, names) for _, light, names in sorted(found, key=lambda one: one[0])[:PLACES]]


def courses(part: Part, count: int, first: int = 0) -> dict[str, Array]:
    """`light` float16 (n, TIMES, SIDE, SIDE) and `names` int64 (n, TIMES) of a part's specimens."""
    return bank(COURSES, part, count, _arrays, first=first)


def filmed(light: Array, rng: np.random.Generator, peak: float | None = None) -> npt.NDArray[np.uint16]:
    """A course (times, y, x) behind one random camera, of `peak` photons (None: a random number): counts."""
    photons = light.astype(np.float32) * (np.exp(rng.uniform(*np.log(PEAK_PHOTONS))) if peak is None else peak)
    photons = photons + np.float32(np.exp(rng.uniform(*np.log(BACKGROUND_PHOTONS))))
    sensor: Sensor = random_sensor(rng)
    return np.stack([exposed(one, rng, sensor).counts for one in photons])


def _middle_classes(field: Sequence[Seen], place: Array) -> Array | None:
    names = []
    for one in field:
        away = np.hypot(*(one.places - place).T)
        if not len(away) or away.min() > NEAR_UM / PIXEL_UM:
            return None
        names.append(one.names[away.argmin()])
    return np.array(names, np.int64)


def _arrays(examples: Sequence[Seen]) -> dict[str, Array]:
    fields = [examples[start : start + TIMES] for start in range(0, len(examples), TIMES)]
    found = [one for field in fields for one in watched(field)]
    return {"light": np.stack([light for light, _ in found]), "names": np.stack([names for _, names in found])}


COURSES = Recipe("courses", "dividing-cells", plan, seen)
CLASSES = NAMES
