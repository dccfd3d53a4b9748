"""From photons to the image that a shot asks for: binning, bit depth, the place on the chip."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen import Sensor
from onscope.specimen.sensor import Emccd

from ._scene import Shot

Array = npt.NDArray[Any]
AnySensor = Sensor | Emccd


def read_out(sensor: AnySensor, photons: Array, shot: Shot, rng: np.random.Generator, out: Array) -> None:
    """Write the counts for mean photons per binned pixel into `out`.

    A depth below the sensor's own leaves gain and offset as they are and saturates earlier, as the fast modes of sCMOS
    cameras do: what is dim stays visible in 8 bit.
    """
    out[:] = exposed(sensor, photons, shot, rng)


def exposed(sensor: AnySensor, photons: Array, shot: Shot, rng: np.random.Generator) -> Array:
    """The same counts as an array of their own, uint16."""
    readout = shot.readout
    return _fitted(sensor, shot).expose(
        photons,
        rng,
        exposure_s=shot.exposure_s,
        corner=(readout.y, readout.x),
        binning=readout.binning,
    )


def expected(sensor: AnySensor, photons: Array, shot: Shot) -> Array:
    """What the mean of many such images tends to, float32 of the shape of `photons`."""
    return np.asarray(_fitted(sensor, shot).expected_counts(photons, binning=shot.readout.binning))


def _fitted(sensor: AnySensor, shot: Shot) -> AnySensor:
    return replace(sensor, bit_depth=min(shot.readout.bit_depth, sensor.bit_depth), chip=shot.readout.chip)
