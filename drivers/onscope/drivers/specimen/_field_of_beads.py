"""Fluorescent beads on a stage area: the plainest thing that can lie under the microscope."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.specimen import Beads, Optics, Sensor, View, binned, render

from ._readout import expected, read_out
from ._scene import Beam, Shot

Array = npt.NDArray[Any]
BAND_NM = 40.0
"""A dye is excited by sources within so many nm of its peak."""
MARGIN_UM = 10.0
"""Beads so far outside of the view are drawn too: out of focus they reach into it."""
REMEMBERED = 300
"""Frames whose truth can be asked for."""


@dataclass(frozen=True, slots=True)
class Dye:
    """`excited_nm` and `emitted_nm` are the peaks; `photons` that one bead sends to the camera per J/cm2 of light on
    it, through an objective of NA 1; `fades_j_cm2` the dose after which 1/e of them is left."""

    excited_nm: float
    emitted_nm: float
    photons: float
    fades_j_cm2: float


BEAD_DYE = Dye(475.0, 515.0, 3e4, 500.0)
"""A yellow-green polystyrene bead of 0.2 um: made to be bright and to last."""
HAZE_PER_UM2 = 2e3
"""Photons per um2 and J/cm2 that the medium around the beads sends to the camera, at NA 1."""
LAMP_PER_UM2 = 1.8e10
"""Photons per um2 and J/cm2 of the transmitted lamp: one of 600 nm has 3.3e-19 J, and 60 % reach the camera."""


class FieldOfBeads:
    """A Scene: still beads at known places, in a medium that shines a little, under a wide-field microscope.

    The image of a bead is a Gaussian as wide as the in-focus PSF (`onscope.specimen.Optics`) and widens with the
    distance from the focal plane as a Gaussian beam of that waist does. Bleaching follows the dose each bead has
    received. The same seed and the same shots give the same frames. `truth(number)` tells the last ones' expected
    counts.
    """

    def __init__(
        self,
        zyx_um: Array | None = None,
        *,
        extent_um: tuple[float, float] = (2_000.0, 2_000.0),
        per_um2: float = 0.01,
        depth_um: float = 2.0,
        dye: Dye = BEAD_DYE,
        sensor: Sensor | None = None,
        seed: int = 0,
    ) -> None:
        """`zyx_um`: places (N, 3) in um; None: a seeded random number of them, `per_um2` on average, up to `depth_um`
        high."""
        rng = np.random.default_rng((seed, 0))
        if zyx_um is None:
            count = int(rng.poisson(per_um2 * extent_um[0] * extent_um[1]))
            zyx_um = rng.uniform((0, 0, 0), (depth_um, *extent_um), (count, 3))
        self.zyx_um: Array = np.asarray(zyx_um, dtype=np.float64).reshape(-1, 3)
        self.dose_j_cm2: Array = np.zeros(len(self.zyx_um))
        self._extent_um, self._dye, self._seed = extent_um, dye, seed
        self._sensor = sensor or Sensor()
        self._truths: OrderedDict[int, Array] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def extent_um(self) -> tuple[float, float]:
        """Stage area (y, x) in um."""
        return self._extent_um

    def expose(self, shot: Shot, out: Array) -> None:
        """Called by the camera; see `Scene`."""
        photons = binned(self._photons(shot), shot.readout.binning)
        read_out(self._sensor, photons, shot, np.random.default_rng((self._seed, 1, shot.number)), out)
        self.illuminate(shot)
        with self._lock:
            self._truths[shot.number] = expected(self._sensor, photons, shot)
            if len(self._truths) > REMEMBERED:
                self._truths.popitem(last=False)

    def illuminate(self, shot: Shot) -> None:
        """Light without a camera: the dose of each bead in it grows."""
        seen = self._within(shot.view, 0.0)
        for beam in shot.beams:
            self.dose_j_cm2[seen] += beam.fluence_j_cm2 * self._share(beam, shot.view, seen)

    def truth(self, number: int) -> Array:
        """Expected counts of exposure `number` without noise, float32. Raises KeyError when it is long ago."""
        with self._lock:
            return self._truths[number]

    def _photons(self, shot: Shot) -> Array:
        """Mean photons per unbinned pixel, float32."""
        total = np.zeros(shot.view.shape, np.float32)
        if shot.emission is None:
            return total
        optics = Optics(shot.objective.na, self._dye.emitted_nm / 1e3, shot.view.pixel_um)
        seen = self._within(shot.view, MARGIN_UM)
        bright = self._dye.photons * np.exp(-self.dose_j_cm2[seen] / self._dye.fades_j_cm2)
        for beam in shot.beams:
            flat: Array | float = beam.fluence_j_cm2 if beam.mask is None else beam.fluence_j_cm2 * beam.mask
            pixel_um2 = shot.view.pixel_um**2
            if beam.source.transmitted:
                if shot.emission.passes(beam.source.wavelength_nm):
                    total += np.float32(LAMP_PER_UM2 * pixel_um2) * flat
            elif abs(beam.source.wavelength_nm - self._dye.excited_nm) < BAND_NM and shot.emission.passes(
                self._dye.emitted_nm
            ):
                collected = shot.objective.na**2  # the share of the sphere that an objective sees, for small NA
                power = beam.fluence_j_cm2 * collected * self._share(beam, shot.view, seen)
                total += render(self._drawn(shot, optics, seen, bright * power), shot.view.shape)
                total += np.float32(HAZE_PER_UM2 * pixel_um2 * collected) * flat
        return total

    def _drawn(self, shot: Shot, optics: Optics, seen: Array, photons: Array) -> Beads:
        z, y, x = self.zyx_um[seen].T
        waist = optics.sigma_um
        # A Gaussian beam widens with z / z_R, z_R = 4 pi n sigma^2 / wavelength (B. E. A. Saleh, M. C. Teich,
        # Fundamentals of Photonics, section 3.1, with the waist radius W0 = 2 sigma of the intensity).
        reach = 4 * np.pi * shot.objective.immersion_index * waist**2 / optics.emission_um
        sigma = waist * np.sqrt(1 + ((z - shot.z_um) / reach) ** 2)
        row, column = shot.view.pixels(y, x)
        return Beads(row, column, photons, sigma / shot.view.pixel_um)

    def _share(self, beam: Beam, view: View, seen: Array) -> Array | float:
        """What the SLM lets through to each bead, by the pixel that it lies in; beads outside of the view get none."""
        if beam.mask is None:
            return 1.0
        row, column = (np.rint(each).astype(int) for each in view.pixels(*self.zyx_um[seen, 1:].T))
        inside = (row >= 0) & (row < view.shape[0]) & (column >= 0) & (column < view.shape[1])
        share = np.zeros(len(row))
        share[inside] = beam.mask[row[inside], column[inside]]
        return share

    def _within(self, view: View, margin_um: float) -> Array:
        return np.flatnonzero(view.contains(self.zyx_um[:, 1], self.zyx_um[:, 2], margin_um))
