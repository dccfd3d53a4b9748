"""Light as energy and as photons."""

from __future__ import annotations

PLANCK_J_S = 6.62607015e-34
"""Planck's constant in J s, exact by definition of the SI (BIPM, The International System of Units, 9th ed., 2019)."""

LIGHT_M_S = 299_792_458.0
"""Speed of light in vacuum in m/s, exact by definition (as above)."""

AVOGADRO = 6.02214076e23
"""Molecules per mole, exact by definition (as above)."""


def photon_energy_j(wavelength_nm: float) -> float:
    """Energy of one photon in J: h c / wavelength. Raises ValueError for a wavelength that is not positive."""
    if not wavelength_nm > 0:
        raise ValueError(f"found a wavelength of {wavelength_nm} nm, expected more than 0: give it in nanometres")
    return PLANCK_J_S * LIGHT_M_S / (wavelength_nm * 1e-9)


def irradiance_w_cm2(power_mw: float, area_um2: float) -> float:
    """Mean irradiance in W/cm2 of a power in mW on an area in um2. Raises ValueError for an area that is not positive.

    1 mW/um2 is 1e5 W/cm2.
    """
    if not (area_um2 > 0 and power_mw >= 0):
        raise ValueError(f"found {power_mw} mW on {area_um2} um2, expected no negative power and an area above 0")
    return power_mw / area_um2 * 1e5
