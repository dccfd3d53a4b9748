"""Fluorophores: how much light they absorb, how much of it they give back, and how long they last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._light import AVOGADRO, photon_energy_j

Array = npt.NDArray[Any]

Sides = tuple[float, float]

EXCITATION_NM: Sides = (31.0, 14.5)
"""Standard deviations in nm of the two half Gaussians that stand for an excitation spectrum below and above its peak.

Those of EGFP: half of the peak at 450 nm and at 505 nm (spectrum on fpbase.org, read off). Other proteins' main bands
have nearly this shape.
"""

EMISSION_NM: Sides = (14.5, 31.0)
"""The same of an emission spectrum: the mirror image (Valeur, see `Fluorophore`, section 3.1)."""


@dataclass(frozen=True, slots=True)
class Fluorophore:
    """A fluorescent molecule.

    `excitation_nm` and `emission_nm` are the spectra's peaks, `excitation_sides_nm` and `emission_sides_nm` their
    widths (see `EXCITATION_NM`), `extinction` is the molar decadic extinction coefficient at the excitation peak in
    1/(M cm), `quantum_yield` emitted per absorbed photon, `half_life_s` the time in which half of the molecules bleach
    under light that makes each emit 1000 photons per second at the beginning. Formulas are those of B. Valeur, M. N.
    Berberan-Santos, Molecular Fluorescence, 2nd ed. (2012). Raises ValueError for what cannot be.
    """

    name: str
    excitation_nm: float
    emission_nm: float
    extinction: float
    quantum_yield: float
    half_life_s: float
    excitation_sides_nm: Sides = EXCITATION_NM
    emission_sides_nm: Sides = EMISSION_NM

    def __post_init__(self) -> None:
        sizes = (self.excitation_nm, self.emission_nm, self.extinction, self.half_life_s, *self.excitation_sides_nm)
        if min(*sizes, *self.emission_sides_nm) <= 0 or not 0 < self.quantum_yield <= 1:
            raise ValueError(
                f"found {self}, expected wavelengths, widths, extinction and half life above 0 and a quantum yield "
                "above 0, at most 1"
            )

    @property
    def bleaching_yield(self) -> float:
        """Molecules lost per absorbed photon: ln 2 / half life, over 1000 / quantum yield absorptions per second."""
        return math.log(2) / self.half_life_s * self.quantum_yield / 1000

    def cross_section_cm2(self, wavelength_nm: float) -> float:
        """Absorption cross-section in cm2 at a wavelength: 1000 ln 10 / N_A times the extinction coefficient.

        Valeur, section 2.3.
        """
        away = wavelength_nm - self.excitation_nm
        below, above = self.excitation_sides_nm
        relative = math.exp(-0.5 * (away / (below if away < 0 else above)) ** 2)
        return 1000 * math.log(10) / AVOGADRO * self.extinction * relative

    def emission_share(self, low_nm: float, high_nm: float) -> float:
        """Share of the emitted photons between two wavelengths: what an emission filter lets through.

        Raises ValueError for a band that ends before it begins.
        """
        if not low_nm <= high_nm:
            raise ValueError(f"found a band from {low_nm} to {high_nm} nm, expected the lower wavelength first")
        below, above = self.emission_sides_nm

        def up_to(wavelength_nm: float) -> float:
            away = wavelength_nm - self.emission_nm
            side = below if away < 0 else above
            return side * math.erf(away / (math.sqrt(2) * side))

        return (up_to(high_nm) - up_to(low_nm)) / (below + above)

    def absorbed_per_j_cm2(self, wavelength_nm: float) -> float:
        """Photons that one molecule absorbs per fluence of 1 J/cm2, far below saturation.

        An excited state of some nanoseconds saturates at about 1e6 W/cm2, a thousand times what is used in a cell.
        """
        return self.cross_section_cm2(wavelength_nm) / photon_energy_j(wavelength_nm)

    def emitted_per_j_cm2(self, wavelength_nm: float) -> float:
        """Photons that one molecule emits into all directions per fluence of 1 J/cm2, before it bleaches."""
        return self.quantum_yield * self.absorbed_per_j_cm2(wavelength_nm)


FLUOROPHORES = {
    each.name: each
    for each in (
        Fluorophore("Hoechst 33342", 350, 461, 45_000, 0.38, 53, (33.0, 32.0), (31.0, 48.0)),
        Fluorophore("Cerulean", 433, 475, 43_000, 0.62, 36),
        Fluorophore("EGFP", 488, 507, 56_000, 0.60, 174),
        Fluorophore("Citrine", 516, 529, 77_000, 0.76, 49),
        Fluorophore("tdTomato", 554, 581, 138_000, 0.69, 98),
        Fluorophore("mCherry", 587, 610, 72_000, 0.22, 96),
        Fluorophore("mPlum", 590, 649, 41_000, 0.10, 53),
        Fluorophore("iRFP670", 643, 670, 114_000, 0.11, 290),
        Fluorophore("SiR", 652, 674, 100_000, 0.39, 270),
    )
}
"""By name. Proteins from Cerulean to mPlum: N. C. Shaner, P. A. Steinbach, R. Y. Tsien, "A guide to choosing
fluorescent proteins", Nature Methods 2, 905 (2005), table 1: peaks, extinction coefficient, quantum yield, time to
bleach from 1000 to 500 photons per second. Citrine there is its monomeric form.

iRFP670: D. M. Shcherbakova, V. V. Verkhusha, Nature Methods 10, 751 (2013), table 1 (its half-life taken as one at 1000
photons per second, as above).

Hoechst 33342, for DNA in living cells, where DAPI enters badly: peaks and extinction coefficient bound to DNA from The
Molecular Probes Handbook, 11th ed. (2010), section 8.1, quantum yield from T. Haerd, P. Fan, D. R. Kearns, Photochem.
Photobiol. 51, 77 (1990); widths for half of the peak at about 311, 388, 425 and 518 nm; SiR, silicon rhodamine as in
SiR-DNA and SiR-actin: extinction coefficient and quantum yield from G. Lukinavicius et al., Nature Chemistry 5, 132
(2013), peaks of SiR-DNA. Of these two dyes the half-lives are chosen, for a bleaching yield of 5e-6 (Hoechst) and 1e-6
per absorbed photon (rhodamines in water: 1e-7 to 1e-6; C. Eggeling et al., Anal. Chem. 70, 2651 (1998)).
"""

EGFP = FLUOROPHORES["EGFP"]
MCHERRY = FLUOROPHORES["mCherry"]


def surviving(fluence_j_cm2: Array | float, wavelength_nm: float, fluorophore: Fluorophore = EGFP) -> Array:
    """Share of the molecules that a fluence in J/cm2 leaves unbleached: float32 of its shape.

    First order in the absorbed photons, exp(-yield * cross-section * photons per area): fluences may be added up or
    applied one after the other. Light of twice the power bleaches the same in half the time, which holds to about a
    factor of two for fluorescent proteins below 100 W/cm2 (P. J. Cranfill et al., Nature Methods 13, 557 (2016)).
    Raises ValueError for a negative fluence.
    """
    rate = np.float32(fluorophore.bleaching_yield * fluorophore.absorbed_per_j_cm2(wavelength_nm))
    fluence = checked_fluence(fluence_j_cm2)
    return np.exp(-rate * fluence) if rate > 0 else np.ones_like(fluence)


def checked_fluence(fluence_j_cm2: Array | float) -> Array:
    """The fluence as float32 array. Raises ValueError where it is negative."""
    fluence = np.asarray(fluence_j_cm2, dtype=np.float32)
    if fluence.size and not fluence.min() >= 0:
        raise ValueError(f"found a fluence of {fluence.min():g} J/cm2, expected none below 0: light adds up")
    return fluence
