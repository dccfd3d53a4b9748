"""The state of all cells: one array per property, one row per cell."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _noise
from ._settings import DYES, CellSettings

Array = npt.NDArray[Any]

INTERPHASE, PROPHASE, METAPHASE, ANAPHASE, TELOPHASE, DYING, DEAD = range(7)
"""Numbers of the names in `CLASSES`."""

# Purposes of the numbers that a cell draws once in its life (the steps draw from 1000 on).
_CYCLE, _VOLUME, _TOLERANCE, _TIMING, _EXPRESSION, _START = 1, 2, 3, 4, 10, 30


@dataclass(slots=True, eq=False)
class Herd:
    """N cells; all arrays have N rows.

    `key` names the cell's random numbers; `y`, `x` are its middle in um; `heading` the direction it
    crawls to and `axis` that of its long axis in radians from +x to +y; `phase` one of the numbers above, `phase_s` the
    time spent in it; `progress` 0 to 1 through interphase; `spread` 0 (round) to 1 (flat); `volume` in um3 at birth;
    `left` (N, dyes) the share of each dye that shines, `made` (N, dyes) its amount relative to the mean cell.
    """

    key: npt.NDArray[np.uint64]
    id: npt.NDArray[np.int32]
    parent: npt.NDArray[np.int32]
    born_s: Array
    y: Array
    x: Array
    heading: Array
    axis: Array
    phase: npt.NDArray[np.int16]
    phase_s: Array
    progress: Array
    cycle_s: Array
    spread: Array
    volume: Array
    dose: Array
    stress: Array
    tolerance: Array
    left: Array
    made: Array

    def __len__(self) -> int:
        return len(self.key)

    def taken(self, rows: Array) -> Herd:
        """A copy of some rows (indices or mask)."""
        return Herd(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    def joined(self, other: Herd) -> Herd:
        """All rows of this one, then all of the other."""
        names = [each.name for each in fields(self)]
        return Herd(**{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names})

    @property
    def alive(self) -> npt.NDArray[np.bool_]:
        """Cells that are neither dying nor dead."""
        return np.asarray(self.phase < DYING)

    @property
    def tempo(self) -> Array:
        """How much longer than the mean a cell's phases of mitosis take, and its death (N,)."""
        return np.asarray(np.exp(0.2 * _noise.normal(self.key, _TIMING)))

    @property
    def volume_um3(self) -> Array:
        """Volume now: doubles through interphase, and dying cells shrink to 45 % within half an hour."""
        grown = self.volume * (1 + np.where(self.phase == TELOPHASE, 0.0, self.progress))
        return np.asarray(grown * self._shrunk)

    @property
    def density(self) -> Array:
        """Dry mass per volume over that of a living cell (N,): what shrinks loses water, and so delays light as much as
        before (R. Barer, Nature 169, 366 (1952)); the dead leak, to 0.4 of it with a time of 2 h: chosen."""
        leaked = np.where(self.phase == DEAD, 0.4 + 0.6 * np.exp(-self.phase_s / 7200), 1.0)
        return np.asarray(leaked / self._shrunk)

    @property
    def _shrunk(self) -> Array:
        shrinking = np.where(self.phase == DYING, self.phase_s / 1800, (self.phase == DEAD) * 1.0)
        return np.asarray(1 - 0.55 * np.clip(shrinking, 0, 1))

    def radius_um(self, settings: CellSettings) -> Array:
        """Radius of the circle of a cell's area: between that of a ball of its volume and that of a flat cell."""
        volume = self.volume_um3
        ball = np.cbrt(volume * 0.75 / np.pi)
        flat = np.sqrt(volume / (np.pi * settings.height_um))
        return np.asarray(ball * (flat / ball) ** self.spread)


def founders(settings: CellSettings, seed: int) -> Herd:
    """The cells at time 0, at random places and ages (an exponentially growing culture has more young cells)."""
    key = _noise.keys(seed, "cells", settings.count)
    y, x = (_noise.uniform(key, _START + n) * settings.extent_um[n] for n in range(2))
    if settings.gap_um:
        room = settings.extent_um[1] - settings.gap_um
        x = x / settings.extent_um[1] * room
        x += np.where(x > room / 2, settings.gap_um, 0.0)
    zero = np.zeros(len(key))
    herd = Herd(
        key=key,
        id=np.arange(1, len(key) + 1, dtype=np.int32),
        parent=np.zeros(len(key), dtype=np.int32),
        born_s=zero.copy(),
        y=y,
        x=x,
        heading=2 * np.pi * _noise.uniform(key, _START + 2),
        axis=np.pi * _noise.uniform(key, _START + 3),
        phase=np.full(len(key), INTERPHASE, dtype=np.int16),
        phase_s=zero.copy(),
        progress=zero.copy(),
        cycle_s=zero.copy(),
        spread=np.ones(len(key)),
        volume=zero.copy(),
        dose=zero.copy(),
        stress=zero.copy(),
        tolerance=zero.copy(),
        left=np.ones((len(key), len(DYES))),
        made=np.ones((len(key), len(DYES))),
    )
    born(herd, settings)
    _age(herd, settings)
    return herd


def born(herd: Herd, settings: CellSettings) -> None:
    """Draws what a cell keeps for life: cycle length, volume, tolerance of light, amounts of dye. In place."""
    key = herd.key
    herd.cycle_s[:] = settings.cycle_h * 3600 * np.exp(settings.cycle_spread * _noise.normal(key, _CYCLE))
    herd.volume[:] = settings.volume_um3 * np.exp(0.12 * _noise.normal(key, _VOLUME))
    herd.tolerance[:] = np.exp(0.3 * _noise.normal(key, _TOLERANCE))
    for dye in range(len(DYES)):
        herd.made[:, dye] = np.exp(settings.expression_spread * _noise.normal(key, _EXPRESSION + dye))


def _age(herd: Herd, settings: CellSettings) -> None:
    # Ages of an exponentially growing culture have the density 2 ln2 2^-a for a in 0 to 1 (from birth to division).
    age = -np.log2(1 - _noise.uniform(herd.key, _START + 4) / 2)
    pro, meta, ana, _ = settings.mitosis_s
    mitosis = (pro + meta + ana) / (herd.cycle_s + pro + meta + ana)
    if settings.mitotic_fraction is not None:
        chosen = _noise.uniform(herd.key, _START + 5) < settings.mitotic_fraction
        age = np.where(chosen, 1 - mitosis * _noise.uniform(herd.key, _START + 6), age * (1 - mitosis))
    herd.progress[:] = np.clip(age / (1 - mitosis), 0, 1)
    into = (age - (1 - mitosis)) / mitosis * (pro + meta + ana)
    for phase, start, length in ((PROPHASE, 0.0, pro), (METAPHASE, pro, meta), (ANAPHASE, pro + meta, ana)):
        there = (into >= start) & (into < start + length)
        herd.phase[there] = phase
        herd.phase_s[there] = into[there] - start
    herd.spread[:] = np.where(herd.phase == INTERPHASE, np.clip(0.3 + 12 * herd.progress, 0.3, 1), herd.spread)
    herd.spread[herd.phase > PROPHASE] = 0.0
    herd.spread[herd.phase == PROPHASE] = 1 - 0.8 * herd.phase_s[herd.phase == PROPHASE] / pro


def daughters(
    herd: Herd, mothers: Array, first_id: int, time_s: float, apart_um: float, settings: CellSettings
) -> Herd:
    """Two cells per mother (row numbers), `apart_um` from each other along her axis, in telophase; ids count on."""
    pair: Herd | None = None
    for number, side in ((1, -0.5), (2, 0.5)):
        mother = herd.taken(mothers)
        one = replace(
            mother,
            key=_noise.child(mother.key, number),
            id=np.arange(first_id + number - 1, first_id + 2 * len(mothers), 2, dtype=np.int32),
            parent=mother.id.copy(),
            born_s=np.full(len(mothers), time_s),
            y=mother.y + side * apart_um * np.sin(mother.axis),
            x=mother.x + side * apart_um * np.cos(mother.axis),
            heading=mother.axis + (np.pi if side < 0 else 0.0),
            phase=np.full(len(mothers), TELOPHASE, dtype=np.int16),
            phase_s=np.zeros(len(mothers)),
            progress=np.zeros(len(mothers)),
            spread=np.zeros(len(mothers)),
        )
        volume, made = mother.volume.copy(), mother.made.copy()
        born(one, settings)
        # Size and brightness are handed on, with a pull to the mean: else a lineage would drift away.
        one.volume[:] = one.volume**0.2 * volume**0.8
        one.made[:] = one.made**0.1 * made**0.9
        pair = one if pair is None else pair.joined(one)
    assert pair is not None
    return pair
