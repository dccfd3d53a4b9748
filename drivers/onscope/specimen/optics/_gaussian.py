"""Optics: how wide a point is drawn by a widefield fluorescence microscope."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import j1

Array = npt.NDArray[Any]

GAUSSIAN_WIDTH = 0.21
"""sigma = 0.21 wavelength / NA: the Gaussian nearest to an in-focus Airy disc (least squares over the disc).

B. Zhang, J. Zerubia, J.-C. Olivo-Marin, "Gaussian approximations of fluorescence microscope point-spread function
models", Applied Optics 46, 1819 (2007).
"""


@dataclass(frozen=True, slots=True)
class Optics:
    """A widefield fluorescence microscope as its point-spread function sees it.

    `na` is the objective's numerical aperture, `emission_um` the emission wavelength in vacuum in micrometres,
    `pixel_um` the size of a camera pixel in the sample in micrometres (camera pixel over magnification).
    Raises ValueError for sizes that are not positive.
    """

    na: float = 0.8
    emission_um: float = 0.52
    pixel_um: float = 0.108

    def __post_init__(self) -> None:
        if not (self.na > 0 and self.emission_um > 0 and self.pixel_um > 0):
            raise ValueError(
                f"found na={self.na}, emission_um={self.emission_um}, pixel_um={self.pixel_um}, expected numbers "
                "above 0: give the aperture as a number and both lengths in micrometres"
            )

    @property
    def sigma_um(self) -> float:
        """Standard deviation of the Gaussian PSF in the sample, in micrometres (see `GAUSSIAN_WIDTH`)."""
        return GAUSSIAN_WIDTH * self.emission_um / self.na

    @property
    def sigma_px(self) -> float:
        """The same in camera pixels."""
        return self.sigma_um / self.pixel_um

    @property
    def airy_radius_um(self) -> float:
        """Radius of the first dark ring, 0.61 wavelength / NA, in micrometres (Rayleigh's criterion)."""
        return 0.6098 * self.emission_um / self.na

    def bead_sigma_px(self, diameter_um: float) -> float:
        """Width of a solid fluorescent sphere in pixels: variances add, and a sphere has diameter^2 / 20 per axis."""
        return math.sqrt(self.sigma_um**2 + diameter_um**2 / 20) / self.pixel_um

    def airy(self, radius_um: Array) -> Array:
        """The in-focus scalar PSF [2 J1(v) / v]^2 with v = 2 pi NA r / wavelength, 1 at the centre.

        Born and Wolf, Principles of Optics, section 8.5.2. Shape as `radius_um`, float64.
        """
        v = 2 * np.pi * self.na * np.abs(np.asarray(radius_um, dtype=np.float64)) / self.emission_um
        safe = np.where(v < 1e-6, 1.0, v)
        return np.where(v < 1e-6, 1.0, (2 * j1(safe) / safe) ** 2)
