"""The demonstration's light level: what the noise-free beads of Micro-Manager's demo camera mean in photons."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._sensor import Sensor

DEMO_SENSOR = Sensor()
"""The sensor behind which the demonstration puts the demo camera's `Fluorescent Beads`."""

DEMO_PHOTONS_PER_UNIT = 0.15
"""Photons per unit of the demo camera's pixel value: its beads peak at 200 to 300 units, so at 30 to 45 photons, the
light of a short exposure that spares the sample (peak signal to noise about 5)."""

DEMO_BACKGROUND_PHOTONS = 4.0
"""Even background in photons per pixel; the demo camera itself has none."""


def demo_photons(units: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Mean photons per pixel, float32 of the same shape, for a noise-free frame of the demo camera (y, x)."""
    photons = np.multiply(units, DEMO_PHOTONS_PER_UNIT, dtype=np.float32)
    photons += np.float32(DEMO_BACKGROUND_PHOTONS)
    return np.asarray(photons)
