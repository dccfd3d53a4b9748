"""The scalar point-spread function of an objective that looks through a coverslip into a sample of another index."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import j0, roots_legendre

Array = npt.NDArray[Any]

PUPIL_NODES = 400
FAR_FIELD = 12.0
"""Wavelengths / NA to which a point is drawn in focus: outside of them lies 0.8 % of an Airy disc's light."""

FAR_WAVES = 25.0
"""Waves of defocus beyond which a point is taken as the cone of its rays: by then diffraction only blurs its rim."""


@dataclass(frozen=True, slots=True)
class Lens:
    """An aperture, a vacuum wavelength in um, and the indices of sample and immersion."""

    na: float
    wavelength_um: float
    sample_index: float = 1.34
    immersion_index: float = 1.515

    @property
    def cutoff_per_um(self) -> float:
        """The highest spatial frequency that passes, 2 NA / wavelength, in cycles per um."""
        return 2 * self.na / self.wavelength_um

    @property
    def step_um(self) -> float:
        """A tenth of the depth of field n wavelength / NA^2, in um: heights that differ by less look alike."""
        return 0.1 * self.immersion_index * self.wavelength_um / self.na**2

    @property
    def far_um(self) -> float:
        """The defocus in um at which the rays at the rim are FAR_WAVES ahead of those on the axis."""
        spread = self.immersion_index - math.sqrt(self.immersion_index**2 - self.na**2)
        return FAR_WAVES * self.wavelength_um / spread

    def stage_um(self, focus_um: float) -> float:
        """How far the stage moves from focus at the coverslip to focus at `focus_um` in the sample.

        The displacement that flattens W (below) best over the pupil, least squares; its ratio to `focus_um` is 1
        without a mismatch of the indices, and about 1.3 from oil into water at NA 1.4.
        """
        return focus_um * _refocus(self)

    def profile(self, emitter_um: float, focus_um: float) -> Array:
        """Intensity at `radii(lens)` (float64), unit sum over the plane, of an emitter above the coverslip.

        I(r) = | integral of J0(k NA p r) exp(i W(p)) p dp, p from 0 to 1 |^2 with the path difference

            W(p) = k [ z_emitter sqrt(ns^2 - NA^2 p^2) - z_stage sqrt(ni^2 - NA^2 p^2) ]

        S. F. Gibson, F. Lanni, J. Opt. Soc. Am. A 8, 1601 (1991), with the objective's correction for its own
        coverslip and immersion taken as perfect. `focus_um` is the height in the sample that is in best focus,
        `stage_um(focus_um)` what the stage has moved for it. Light beyond the sample's critical angle falls off with
        the emitter's height, as the root turns imaginary. Without defocus this is the Airy disc.
        """
        _, weights, bessel = _pupil(self)
        k = 2 * np.pi / self.wavelength_um
        in_sample, in_immersion = _paths(self)
        path = max(emitter_um, 0.0) * in_sample - (self.stage_um(focus_um) - min(emitter_um, 0.0)) * in_immersion
        pupil = np.exp(1j * k * (path - path[0])) * weights
        field = np.abs(bessel @ pupil) ** 2
        return np.asarray(field / (field @ areas(self)))


@lru_cache(maxsize=32)
def gauss_legendre(count: int) -> tuple[Array, Array]:
    """Nodes, rising from 0 to 1, and weights of an integral over that range."""
    x, w = roots_legendre(count)
    return 0.5 * (x + 1), 0.5 * w


@lru_cache(maxsize=16)
def radii(lens: Lens) -> Array:
    """Nodes in um, rising, at which `Lens.profile` is given: Gauss-Legendre from 0 to where next to no light goes."""
    return _radial(lens)[0]


@lru_cache(maxsize=16)
def areas(lens: Lens) -> Array:
    """The area 2 pi r dr in um2 that belongs to each node: weights of an integral over the plane."""
    r, weights = _radial(lens)
    return np.asarray(2 * np.pi * r * weights)


def _radial(lens: Lens) -> tuple[Array, Array]:
    slope = lens.na / math.sqrt(max(lens.sample_index**2 - lens.na**2, 0.25))
    end = FAR_FIELD * lens.wavelength_um / lens.na + lens.far_um * slope
    count = math.ceil(1.2 * end * lens.cutoff_per_um * math.pi) + 40
    nodes, weights = gauss_legendre(count)
    return end * nodes, end * weights


@lru_cache(maxsize=16)
def _paths(lens: Lens) -> tuple[Array, Array]:
    squared = (lens.na * _pupil(lens)[0]) ** 2
    return np.sqrt((lens.sample_index**2 - squared).astype(np.complex128)), np.sqrt(lens.immersion_index**2 - squared)


@lru_cache(maxsize=16)
def _refocus(lens: Lens) -> float:
    rho, weights, _ = _pupil(lens)
    in_sample, in_immersion = _paths(lens)
    weights = weights * (lens.na * rho < 0.96 * lens.sample_index)  # rays nearly along the coverslip have no focus
    weights /= weights.sum()
    a, b = in_sample.real - weights @ in_sample.real, in_immersion - weights @ in_immersion
    return float((weights * a) @ b / ((weights * b) @ b))


@lru_cache(maxsize=8)
def _pupil(lens: Lens) -> tuple[Array, Array, Array]:
    rho, w = gauss_legendre(PUPIL_NODES)
    k = 2 * np.pi / lens.wavelength_um
    return rho, 2 * rho * w, j0(k * lens.na * np.outer(radii(lens), rho))
