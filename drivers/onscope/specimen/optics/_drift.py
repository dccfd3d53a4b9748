"""Drift of stage and focus as functions of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

WAVES = 24
SLOWEST_S, FASTEST_S = 6 * 3600.0, 60.0
"""Periods in seconds between which a stage wanders: chosen, a room's heating and a door."""

LOSS_S = 20.0
"""Time in seconds in which a lost focus goes most of its way: chosen."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the point in focus on the axis has moved in the sample, known at any time without what came before.

    `velocity_um_h` (z, y, x) is steady creep in um per hour; `wander_um` (z, y, x) the standard deviation of what a
    warming and cooling room adds, with periods from a minute to six hours and the spectrum of a random walk. At
    `focus_lost_s` (seconds; None: never) the focus goes `focus_loss_um` away within a minute, as when an autofocus
    loses the coverslip. `seed` is which day it is. Tens of nm to some um per hour are common without
    autofocus (J. Adler, S. Pagakis, Journal of Microscopy 210, 131 (2003)).
    """

    velocity_um_h: tuple[float, float, float] = (0.0, 0.0, 0.0)
    wander_um: tuple[float, float, float] = (0.0, 0.0, 0.0)
    focus_lost_s: float | None = None
    focus_loss_um: float = 6.0
    seed: int = 0

    def at(self, time_s: float) -> tuple[float, float, float]:
        """(z, y, x) in um at a time in s, 0 at time 0: added to the stage's position and to the focal plane.

        So with a drift towards +y the image of a cell moves towards the first row.
        """
        rate, sine, cosine = _waves(self.seed)
        moved = sine @ np.sin(rate * time_s) + cosine @ (np.cos(rate * time_s) - 1)
        z, y, x = (
            float(v * time_s / 3600 + s * m) for v, s, m in zip(self.velocity_um_h, self.wander_um, moved, strict=True)
        )
        if self.focus_lost_s is not None and time_s > self.focus_lost_s:
            z += self.focus_loss_um * -math.expm1(-(time_s - self.focus_lost_s) / LOSS_S)
        return z, y, x


@lru_cache(maxsize=32)
def _waves(seed: int) -> tuple[Array, Array, Array]:
    period = np.geomspace(SLOWEST_S, FASTEST_S, WAVES)
    # the power of a random walk goes with the period squared, and evenly spaced logarithms take one power of it
    amplitude = np.sqrt(period / period.sum())
    sine, cosine = np.random.default_rng((seed, 0xD41F7)).standard_normal((2, 3, WAVES)) * amplitude
    return 2 * np.pi / period, sine, cosine
