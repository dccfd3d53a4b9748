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


def binned(photons: Array, by: int) -> Array:
    """Sums over `by` x `by` pixels, float32 of (rows // by, columns // by)."""
    if by == 1:
        return photons
    rows, columns = (side // by for side in photons.shape)
    return np.asarray(photons.reshape(rows, by, columns, by).sum(axis=(1, 3)))


def read_out(sensor: AnySensor, photons: Array, shot: Shot, rng: np.random.Generator, out: Array) -> None:
    """Write the counts for mean photons per binned pixel into `out`.

    A depth below the sensor's own leaves gain and offset as they are and saturates earlier, as the fast modes of sCMOS
    cameras do: what is dim stays visible in 8 bit.
    """
    readout = shot.readout
    out[:] = _fitted(sensor, shot).expose(
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
