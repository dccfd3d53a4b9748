"""How long devices take: the times of a virtual microscope, in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceTimes:
    """The stand that onscope.drivers.specimen mounts, as numbers: see its `Hardware` for the data sheets.

    Stages drive with a constant acceleration up to their highest speed and down again, then settle.
    """

    xy_um_s: float = 7_000.0
    xy_um_s2: float = 70_000.0
    xy_settle_s: float = 0.03
    z_um_s: float = 10_000.0
    z_um_s2: float = 5e6
    z_settle_s: float = 0.01
    filter_s: float = 0.04
    shutter_s: float = 0.006
    line_s: float = 4.868e-6
    slm_s: float = 0.001

    def xy_s(self, dx_um: float, dy_um: float) -> float:
        """Until the XY stage has gone so far; both axes go at once."""
        return max(_drive_s(abs(each), self.xy_um_s, self.xy_um_s2, self.xy_settle_s) for each in (dx_um, dy_um))

    def z_s(self, dz_um: float) -> float:
        """Until the focus has gone so far."""
        return _drive_s(abs(dz_um), self.z_um_s, self.z_um_s2, self.z_settle_s)

    def readout_s(self, rows: int) -> float:
        """Until so many rows of the sensor are read."""
        return rows * self.line_s


def _drive_s(distance_um: float, speed: float, rate: float, settle_s: float) -> float:
    if distance_um == 0:
        return 0.0
    if distance_um < speed**2 / rate:
        return 2 * math.sqrt(distance_um / rate) + settle_s
    return distance_um / speed + speed / rate + settle_s
