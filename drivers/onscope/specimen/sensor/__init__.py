"""The sensor: from photons to camera counts."""

from __future__ import annotations

from ._demo import DEMO_BACKGROUND_PHOTONS, DEMO_PHOTONS_PER_UNIT, DEMO_SENSOR, demo_photons
from ._emccd import EMCCD, Emccd
from ._sensor import SCMOS, Sensor

__all__ = [
    "DEMO_BACKGROUND_PHOTONS",
    "DEMO_PHOTONS_PER_UNIT",
    "DEMO_SENSOR",
    "EMCCD",
    "SCMOS",
    "Emccd",
    "Sensor",
    "demo_photons",
]
