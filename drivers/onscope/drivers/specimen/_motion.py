"""How a motor moves: from where to where, at what time it is where."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ._hardware import Axis

RESIDUAL_UM = 0.3
"""What is left of a long move when the motor has stopped, in um: the load swings in (a servo's in-position window)."""
DECAYS = 6.0
"""Decay times within the settling time: exp(-6) of RESIDUAL_UM are 0.7 nm, less than an encoder's step."""


@dataclass(frozen=True, slots=True)
class Move:
    """One axis from `start_um` to `target_um`, commanded at `begin_s`.

    A trapezoidal profile of speed (constant acceleration up to the highest speed, and down again), as motion
    controllers drive it, to just before the target; the rest decays exponentially during the settling time.
    """

    axis: Axis
    start_um: float
    target_um: float
    begin_s: float

    @property
    def _driven_um(self) -> float:
        distance = abs(self.target_um - self.start_um)
        return distance - min(RESIDUAL_UM, distance / 20)

    @property
    def drive_s(self) -> float:
        """Seconds until the motor has stopped."""
        distance, speed, rate = self._driven_um, self.axis.speed_um_s, self.axis.acceleration_um_s2
        if distance < speed**2 / rate:
            return 2 * math.sqrt(distance / rate)
        return distance / speed + speed / rate

    @property
    def arrives_s(self) -> float:
        """When it has settled; the begin when there is no way to go."""
        return self.begin_s + (self.drive_s + self.axis.settle_s if self.target_um != self.start_um else 0.0)

    def at(self, time_s: float) -> float:
        """Position in um at a time in seconds."""
        passed = time_s - self.begin_s
        if passed <= 0:
            return self.start_um
        if time_s >= self.arrives_s:
            return self.target_um
        sign = math.copysign(1.0, self.target_um - self.start_um)
        if passed < self.drive_s:
            return self.start_um + sign * self._profile_um(passed)
        decay_s = self.axis.settle_s / DECAYS
        rest = abs(self.target_um - self.start_um) - self._driven_um
        return self.target_um - sign * rest * math.exp(-(passed - self.drive_s) / decay_s)

    def _profile_um(self, passed: float) -> float:
        rate = self.axis.acceleration_um_s2
        ramp_s = min(self.axis.speed_um_s / rate, self.drive_s / 2)
        if passed < ramp_s:
            return 0.5 * rate * passed**2
        if passed > self.drive_s - ramp_s:
            return self._driven_um - 0.5 * rate * (self.drive_s - passed) ** 2
        return rate * ramp_s * (passed - ramp_s / 2)


def at_rest(axis: Axis, where_um: float) -> Move:
    """An axis that stands."""
    return Move(axis, where_um, where_um, 0.0)
