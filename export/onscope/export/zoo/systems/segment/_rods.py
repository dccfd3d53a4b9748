"""Bacteria in mother machines with their key points: the middles of the two round ends, and of the rod."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen import Snap
from onscope.specimen.optics import Drift
from onscope.specimen.scenarios import Scenario
from onscope.specimen.sensor import Sensor

from ...recipes import Field, Plan, Recipe, Shot

Array = npt.NDArray[Any]

POINTS = ("pole", "middle")
PIXEL_UM = 0.1
"""Of the frames that are learned from; they vary around it by `SPREAD`."""
SPREAD = 0.18
SIDE = 192
LIGHTS = ("phase", "bodies")
TIMES = 3
CLOSED_UM, OPEN_UM = 20.0, 45.0
"""y of the ends of a channel."""
USUAL_UM = 1.0
"""Width of rods where none is seen as a whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Rods:
    """A frame as the camera gives it, uint16 (y, x), and its key points by POINTS: (n, 2), y and x in pixels."""

    counts: npt.NDArray[np.uint16]
    points: dict[str, Array]
    light: str


def plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """A device, bacteria, focus, light and a camera at random; `TIMES` times, in phase contrast and in fluorescence."""
    bacteria = scenario.sample.bacteria
    assert bacteria is not None
    wide = float(rng.uniform(0.8, 1.15))
    device = replace(
        bacteria,
        channels=12,
        spacing_um=float(rng.uniform(3.5, 6.5)),
        channel_um=(25.0, wide + float(rng.uniform(0.1, 0.5))),
        width_um=wide,
        added_um=float(rng.uniform(1.8, 3.4)),
    )
    pixel = PIXEL_UM * math.exp(rng.normal(0, SPREAD))
    stand = replace(
        scenario.microscope,
        objective=replace(scenario.microscope.objective, magnification=scenario.camera.pixel_um / pixel),
        drift=Drift(),
    )
    focus = float(rng.normal(0, 0.25))
    channels = {name: scenario.channels[name] for name in LIGHTS}
    sample = replace(scenario.sample, bacteria=device, age_s=float(rng.uniform(1800, 6000)))
    chosen = replace(scenario, sample=sample, microscope=stand, channels=channels)
    reach = 13 * device.spacing_um
    shots = []
    for time in range(TIMES):
        place = (float(rng.uniform(CLOSED_UM + 4, OPEN_UM - 2)), float(rng.uniform(0.2, 0.8)) * reach)
        for name in LIGHTS:
            seconds = channels[name].exposure_ms / 1000 * math.exp(rng.uniform(math.log(0.15), math.log(2)))
            height = channels[name].z_um + focus
            shots.append(Shot(900.0 * time, place, name, (SIDE, SIDE), exposure_s=seconds, z_um=height))
    return Plan(chosen, tuple(shots), _sensor(rng))


def as_it_is(light: str, scenario: Scenario, rng: np.random.Generator) -> Plan:
    """The scenario's own device, optics and light, on pixels of `PIXEL_UM`, in a random place at a random time."""
    stand = replace(
        scenario.microscope,
        objective=replace(scenario.microscope.objective, magnification=scenario.camera.pixel_um / PIXEL_UM),
    )
    chosen = replace(scenario, microscope=stand)
    place = (float(rng.uniform(CLOSED_UM + 8, OPEN_UM - 6)), float(rng.uniform(80, 220)))
    return Plan(chosen, (Shot(float(rng.uniform(0, 3600)), place, light, (256, 256)),))


def rods(field: Field, rng: np.random.Generator) -> list[Rods]:
    """The field as it is; nothing is drawn."""
    return [Rods(field.counts, key_points(field.snap), field.shot.channel)]


def key_points(snap: Snap) -> dict[str, Array]:
    """The key points in the view of an exposure, y and x in pixels.

    The axis of a rod ends where its round ends have their middles, half a width from the tips. Its length comes from
    the rod's area and from the width, which all rods of a view share; its direction from the moments of its pixels.
    """
    truth, view = snap.truth, snap.view
    assert truth is not None
    seen = [(row, np.argwhere(truth.labels == row["id"])) for row in truth.objects]
    rods = [(row, pixels, *_axis(pixels, view)) for row, pixels in seen if len(pixels) >= 12]
    areas = [float(row["area_um2"]) / view.pixel_um**2 for row, *_ in rods]
    width = _width([(area, pixels @ axis) for area, (_, pixels, axis, whole) in zip(areas, rods, strict=True) if whole])
    poles, middles = [], []
    for area, (row, _, axis, _) in zip(areas, rods, strict=True):
        centre = np.array(view.pixels(row["y_um"], row["x_um"]), np.float64).ravel()
        wide = USUAL_UM / view.pixel_um if width is None else width
        half = max(area - math.pi * wide**2 / 4, 0.0) / wide / 2
        poles += [centre + half * axis, centre - half * axis]
        middles.append(centre)
    return {"pole": _inside(poles, view.shape), "middle": _inside(middles, view.shape)}


def _axis(pixels: Array, view: Any) -> tuple[Array, bool]:
    """Direction (y, x) of a rod's pixels (n, 2), and whether all of it is in view."""
    if (pixels == 0).any() or (pixels == np.array(view.shape) - 1).any():
        return np.array([1.0, 0.0]), False  # what is seen of a rod at the border does not tell; channels go along y
    return np.linalg.eigh(np.cov((pixels - pixels.mean(axis=0)).T))[1][:, 1], True


def _width(rods: Sequence[tuple[float, Array]]) -> float | None:
    """Width in pixels of whole rods, of which the area and the places of their pixels along the axis are known.

    A rod of length t from tip to tip and width w has the area w t - (1 - pi / 4) w^2. The median of all; None of none.
    """
    lost, found = 1 - math.pi / 4, []
    for area, along in rods:
        tips = float(np.ptp(along)) + 1
        found.append((tips - math.sqrt(max(tips**2 - 4 * lost * area, 0.0))) / (2 * lost))
    return float(np.median(found)) if found else None


def _inside(points: Sequence[Array], shape: tuple[int, int]) -> Array:
    found = np.asarray(points, np.float64).reshape(-1, 2)
    return found[((found >= 0) & (found <= np.array(shape) - 1)).all(axis=1)]


def _sensor(rng: np.random.Generator) -> Sensor:
    return Sensor(
        gain_counts_per_electron=math.exp(rng.uniform(math.log(0.3), math.log(4))),
        offset_counts=float(rng.uniform(50, 500)),
        read_noise_electrons=float(rng.uniform(0.8, 4)),
        bit_depth=int(rng.choice([12, 16])),
        pattern_seed=int(rng.integers(1 << 16)),
    )


RODS = Recipe("rods", "bacteria", plan, rods)
