"""Random numbers by name: what a cell draws depends on its key, the step and the purpose, never on who else lives.

A sequential generator would give every cell other numbers as soon as one of them dies of light. Here number n of a key
is a mixed counter (SplitMix64: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014), so the same cell draws the same numbers whatever happens beside it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Keys = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_NORMAL, _STEPS = 1 << 40, 1 << 41  # numbers that no one else uses


def keys(seed: int, purpose: str, count: int) -> Keys:
    """The first `count` keys of a purpose, uint64 of shape (count,)."""
    start = np.uint64(np.random.SeedSequence([seed, *purpose.encode()]).generate_state(1, np.uint64)[0])
    return _mixed(start + _GOLDEN * np.arange(1, count + 1, dtype=np.uint64))


def child(key: Keys, number: int) -> Keys:
    """Keys that descend from others: daughter 1 and 2 of a cell."""
    return _mixed(key ^ _mixed(np.full(1, (number + 1) & 0xFFFFFFFFFFFFFFFF, dtype=np.uint64) * _GOLDEN))


def at_step(key: Keys, step: int) -> Keys:
    """Keys for what is drawn anew in a step: those of no daughter."""
    return child(key, _STEPS + step)


def uniform(key: Keys, number: int) -> Array:
    """One deviate in [0, 1) per key, float64 of its shape; each `number` gives others."""
    return np.asarray((child(key, number) >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def normal(key: Keys, number: int) -> Array:
    """One standard normal deviate per key, float64 (Box and Muller, Ann. Math. Stat. 29, 610 (1958)).

    Independent of the uniform deviate of the same number.
    """
    radius = np.sqrt(-2 * np.log1p(-uniform(key, _NORMAL + 2 * number)))
    return np.asarray(radius * np.cos(2 * math.pi * uniform(key, _NORMAL + 2 * number + 1)))


def _mixed(z: Keys) -> Keys:
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return np.asarray(z ^ (z >> np.uint64(31)))
