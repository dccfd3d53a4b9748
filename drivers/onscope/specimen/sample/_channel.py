"""Rods in the side channels of a mother machine: their state, growth, division, and who is washed away.

P. Wang et al., "Robust growth of Escherichia coli", Current Biology 20, 1099 (2010): rows of dead-end channels, each as
wide as a cell, open to a trench through which medium flows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ..optics import FLUOROPHORES
from . import _noise
from ._harm import pace

Array = npt.NDArray[Any]

STEP_S = 5.0
"""Length of a step in seconds: a rod grows by 0.2 % in it."""

RODS_AT_START = 3
DYES = ("cytoplasm", "membrane", "nucleus")
TOP_UM = 20.0
"""y of the channels' closed ends in um."""

REPAIR_S = 3600.0
"""Time in seconds after which a rod has undone all but 1/e of the harm: chosen, as long as the SOS response to damaged
DNA lasts (about an hour); faster than in mammalian cells, as all is in bacteria."""

_ELONGATION, _ADDED, _START, _SHARE, _TOLERANCE, _ASIDE = 1, 2, 10, 12, 4, 20


@dataclass(frozen=True, slots=True)
class BacteriaSettings:
    """A mother machine with E. coli in rich medium.

    `channels` side channels, `spacing_um` apart, `channel_um` (length, width); `doubling_min` of the rods' length with
    a relative spread of `spread`; each rod adds `added_um` between birth and division (the adder: M. Campos et al.,
    Cell 159, 1433 (2014)) and is `width_um` wide. `sensitivity` multiplies the harm of light (1: as for cells),
    `fluorophores` are the names (in `FLUOROPHORES`) of the proteins on each of `DYES`. Raises ValueError for channels
    that hold no rod and for unknown fluorophores.
    """

    channels: int = 40
    spacing_um: float = 5.0
    channel_um: tuple[float, float] = (25.0, 1.2)
    doubling_min: float = 25.0
    spread: float = 0.08
    added_um: float = 2.6
    width_um: float = 1.0
    sensitivity: float = 1.0
    fluorophores: tuple[str, ...] = ("EGFP", "mCherry", "mCherry")

    def __post_init__(self) -> None:
        unknown = [name for name in self.fluorophores if name not in FLUOROPHORES]
        if unknown or len(self.fluorophores) != len(DYES):
            raise ValueError(
                f"found fluorophores {self.fluorophores}, expected one of {', '.join(FLUOROPHORES)} for each of "
                f"{', '.join(DYES)}"
            )
        fits = self.width_um <= self.channel_um[1] < self.spacing_um and self.channel_um[0] > 3 * self.added_um
        if not fits or not 1 <= self.channels <= 500 or min(self.doubling_min, self.added_um, self.width_um) <= 0:
            raise ValueError(
                f"found {self.channels} channels of {self.channel_um} um every {self.spacing_um} um for rods that are "
                f"{self.width_um} um wide and add {self.added_um} um, expected 1 to 500 channels, as wide as a rod, "
                "narrower than their spacing and at least 3 added lengths long"
            )


@dataclass(slots=True, eq=False)
class Rods:
    """N rods, ordered by channel and then from the closed end on; arrays of N rows."""

    key: npt.NDArray[np.uint64]
    id: npt.NDArray[np.int32]
    parent: npt.NDArray[np.int32]
    born_s: Array
    channel: npt.NDArray[np.int32]
    length: Array
    birth_length: Array
    added: Array
    dose: Array
    stress: Array
    left: Array

    def __len__(self) -> int:
        return len(self.key)

    def taken(self, rows: Array) -> Rods:
        """A copy of some rows (indices or mask)."""
        return Rods(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    @property
    def tolerance(self) -> Array:
        """Stress of which a rod dies (N,): 1 for the median one, spread as among cells."""
        return np.asarray(np.exp(0.3 * _noise.normal(self.key, _TOLERANCE)))

    @property
    def dead(self) -> npt.NDArray[np.bool_]:
        """Rods that too much light has killed: for good, as the dead repair nothing."""
        return np.asarray(self.stress > self.tolerance)

    @property
    def progress(self) -> Array:
        """0 at birth to 1 at division, in added length."""
        return np.asarray((self.length - self.birth_length) / self.added)


def first_rods(settings: BacteriaSettings, seed: int) -> Rods:
    """Some rods at the closed end of each channel."""
    key = _noise.keys(seed, "bacteria", settings.channels * RODS_AT_START)
    count = len(key)
    birth = settings.added_um * np.exp(0.1 * _noise.normal(key, _START))
    added = settings.added_um * np.exp(0.1 * _noise.normal(key, _ADDED))
    return Rods(
        key=key,
        id=np.arange(1, count + 1, dtype=np.int32),
        parent=np.zeros(count, dtype=np.int32),
        born_s=np.zeros(count),
        channel=np.repeat(np.arange(settings.channels, dtype=np.int32), RODS_AT_START),
        length=birth + added * _noise.uniform(key, _START + 1),
        birth_length=birth,
        added=added,
        dose=np.zeros(count),
        stress=np.zeros(count),
        left=np.ones((count, len(DYES))),
    )


def grown(rods: Rods, time_s: float, next_id: int, settings: BacteriaSettings) -> Rods:
    """One step that ends at `time_s`: rods elongate exponentially, those that added enough divide, the flow takes those
    that hang out wholly. Dead rods do not grow, the others repair; `next_id` is the first free id."""
    dead = rods.dead
    rate = math.log(2) / (60 * settings.doubling_min) * np.exp(settings.spread * _noise.normal(rods.key, _ELONGATION))
    growth = np.exp(np.where(dead, 0.0, rate * pace(rods.stress)) * STEP_S)
    rods.length *= growth
    rods.stress *= np.where(dead, 1.0, math.exp(-STEP_S / REPAIR_S))
    rods.left += (1 - rods.left) * (1 - 1 / growth)[:, None]  # what grows makes its dye anew
    ready = np.flatnonzero((rods.progress >= 1) & ~dead)
    if len(ready):
        rods = _divided(rods, ready, time_s, next_id, settings)
    gone = middle_um(rods) - rods.length / 2 > settings.channel_um[0] + 3.0
    return rods.taken(~gone) if gone.any() else rods


def _divided(rods: Rods, mothers: Array, time_s: float, next_id: int, settings: BacteriaSettings) -> Rods:
    everyone = np.arange(len(rods))
    order = np.repeat(everyone, np.where(np.isin(everyone, mothers), 2, 1))  # daughters stay in their mother's place
    both = rods.taken(order)
    second = np.flatnonzero(order[1:] == order[:-1]) + 1
    share = 0.5 + 0.03 * _noise.normal(rods.key[mothers], _SHARE)
    for rows, number, part in ((second - 1, 1, share), (second, 2, 1 - share)):
        both.key[rows] = _noise.child(rods.key[mothers], number)
        both.id[rows] = next_id + np.arange(number - 1, 2 * len(mothers), 2)
        both.parent[rows] = rods.id[mothers]
        both.born_s[rows] = time_s
        both.length[rows] = rods.length[mothers] * part
        both.birth_length[rows] = both.length[rows]
        both.added[rows] = settings.added_um * np.exp(0.1 * _noise.normal(both.key[rows], _ADDED))
    return both


def middle_um(rods: Rods) -> Array:
    """Distance of each rod's middle from its channel's closed end in um: they lie end to end."""
    end = np.cumsum(rods.length)
    before = np.concatenate([[0.0], end])[np.searchsorted(rods.channel, rods.channel)]
    return np.asarray(end - rods.length / 2 - before + 0.3)


def places(rods: Rods, time_s: float, settings: BacteriaSettings) -> tuple[Array, Array, Array]:
    """Middle (y, x) in um and angle in radians of each rod: they have a little play and lie a little aslant."""
    play = (settings.channel_um[1] - settings.width_um) / 2
    sway = np.sin(2 * math.pi * (time_s / (90 + 60 * _noise.uniform(rods.key, _ASIDE + 1))))
    aside = play * (2 * _noise.uniform(rods.key, _ASIDE) - 1) * (0.6 + 0.4 * sway)
    tilt = (play - np.abs(aside)) / rods.length * 2 * (2 * _noise.uniform(rods.key, _ASIDE + 2) - 1)
    x = (rods.channel + 1) * settings.spacing_um + aside
    return TOP_UM + middle_um(rods), x, math.pi / 2 + tilt
