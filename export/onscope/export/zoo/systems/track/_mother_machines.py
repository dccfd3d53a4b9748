"""Held-out mother machines: movies with their true labels and lineage, of all kinds and as the scenario has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen.scenarios import as_specimen, read_scenario

from ..._lineage import Lineage
from ...recipes import Part
from ...recipes._parts import seed_of
from ._bacteria import CHANNEL, PIXEL_UM, TOP_UM, became, camera, machine, numbered

Array = npt.NDArray[Any]
SHAPE = (448, 448)
_MACHINE, _NOISE = 0x3AC, 0x401


@dataclass(frozen=True, slots=True, eq=False)
class Movie:
    """`frames` uint16 (t, y, x), `labels` int32 (t, y, x) with the ids of the truth, the `lineage`, and `pixel_um`."""

    frames: Array
    labels: Array
    lineage: Lineage
    pixel_um: float = PIXEL_UM


def held_out(number: int, frames: int, interval_s: float, *, varied: bool, photons: float = 1.0) -> Movie:
    """A movie of the held-out specimen `number` around the open ends of its channels.

    `varied`: a device, bacteria, optics and a camera at random, as in the training; else the scenario's own, with so
    many times its light.
    """
    seed = seed_of(Part.HELD_OUT, number)
    scenario = read_scenario("bacteria")
    if varied:
        scenario = machine(scenario, np.random.default_rng((seed, _MACHINE)))
    assert scenario.sample.bacteria is not None
    specimen = as_specimen(scenario, seed)
    wide = (scenario.sample.bacteria.channels + 1) * scenario.sample.bacteria.spacing_um
    began, stage = specimen.time_s, (TOP_UM + 15.0, wide / 2)
    images, labels, parents = [], [], []
    for time in range(frames):
        specimen.advance(began + time * interval_s)
        snap = specimen.snap(stage, CHANNEL, shape=SHAPE)
        assert snap.truth is not None
        noise, light = np.random.default_rng((seed, _NOISE, time)), snap.photons * photons
        sensor = specimen.sensor
        if varied:
            sensor, factor = camera(np.random.default_rng((seed, _NOISE)), light)
            light = light * factor
        images.append(sensor.expose(light, noise))
        found, told = numbered(snap.truth)
        labels.append(found)
        parents.append(told)
    return Movie(np.stack(images), np.stack(labels), _lineage(labels, parents), specimen.pixel_um)


def _lineage(labels: list[Array], parents: list[dict[int, int]]) -> Lineage:
    rows: dict[tuple[int, int], int] = {}
    edges: list[tuple[int, int]] = []
    before: set[int] = set()
    for time, (image, told) in enumerate(zip(labels, parents, strict=True)):
        ids = np.unique(image[image > 0]).tolist()
        for one in ids:
            rows[time, one] = len(rows)
        edges += [(rows[time - 1, origin], rows[time, one]) for one, origin in became(before, ids, told).items()]
        before = set(ids)
    names = np.array(list(rows), np.int64).reshape(-1, 2)
    return Lineage(names[:, 0], names[:, 1], np.array(edges, np.intp).reshape(-1, 2))
