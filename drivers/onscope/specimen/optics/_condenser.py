"""Transmitted light: bright field and phase contrast as transfer functions of a partially coherent microscope."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

NODES = 512
TABLE = 2048
BAND_NM = 20.0
"""Half the width in nm of the lamp's light: chosen, as a green interference filter passes it."""


@dataclass(frozen=True, slots=True)
class Condenser:
    """How the sample is lit from above.

    `contrast` is "brightfield", with light in a cone of aperture `na`, or "phase", Zernike's phase contrast: light
    from a ring of apertures `ring` and a plate in the objective that dims the ring's image to `ring_transmission` (of
    the intensity) and advances it by a quarter of a wave, so that what is denser looks dark. `plane_um` is the height
    above the coverslip at which the whole sample's phase acts. Defaults are chosen, of the order of a long-distance
    condenser with a phase ring for 20x. Raises ValueError for what cannot be.
    """

    contrast: Literal["brightfield", "phase"] = "brightfield"
    na: float = 0.3
    ring: tuple[float, float] = (0.22, 0.27)
    ring_transmission: float = 0.25
    plane_um: float = 2.0

    def __post_init__(self) -> None:
        if self.contrast not in ("brightfield", "phase"):
            raise ValueError(f'found contrast="{self.contrast}", expected "brightfield" or "phase"')
        if not (self.na > 0 and 0 <= self.ring[0] < self.ring[1] and 0 < self.ring_transmission <= 1):
            raise ValueError(
                f"found na={self.na}, ring={self.ring}, ring_transmission={self.ring_transmission}, expected positive "
                "apertures, the inner one first, and a share above 0, at most 1"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Coherence:
    """The radial weak-object transfer function.

    `values` are TABLE + 1 complex numbers from frequency 0 to `cutoff_per_um`, `scattered` as many real ones: the
    amplitude of the light that reaches the camera at a frequency without interfering with the direct light (the
    root of its power less |values|^2). `direct` is the undiffracted light's share.
    """

    values: npt.NDArray[np.complex64]
    scattered: npt.NDArray[np.float32]
    cutoff_per_um: float
    direct: float


@lru_cache(maxsize=256)
def coherence(condenser: Condenser, na: float, index: float, wavelength_nm: float, defocus_um: float) -> Coherence:
    """C(f) = < P*(s) P(s + f) > / < |P(s)|^2 >, the mean over the source's points s, P the objective's pupil.

    For an object with transmission 1 + e, the image's intensity is 1 + 2 Re(C e) to the first order in e: C. J. R.
    Sheppard, T. Wilson, Phil. Trans. R. Soc. A 295, 513 (1980); N. Streibl, J. Opt. Soc. Am. A 2, 121 (1985).
    Averaged over wavelengths within `BAND_NM` to both sides, as a lamp behind a filter sends. `defocus_um` is the
    focal plane's height above the object.
    """
    parts = [_at(condenser, na, index, (wavelength_nm + off) / 1000, defocus_um) for off in (-BAND_NM, 0.0, BAND_NM)]
    cutoff = max(part.cutoff_per_um for part in parts)
    f = np.linspace(0, cutoff, TABLE + 1)
    values = np.mean([_resampled(f, part.amplitude, part.cutoff_per_um) for part in parts], axis=0)
    power = np.mean([_resampled(f, part.power, part.cutoff_per_um).real for part in parts], axis=0)
    scattered = np.sqrt(np.maximum(power - np.abs(values) ** 2, 0))
    scattered[0] = 0
    direct = float(np.mean([part.direct for part in parts]))
    return Coherence(values.astype(np.complex64), scattered.astype(np.float32), cutoff, direct)


def source(condenser: Condenser, na: float) -> tuple[Array, Array]:
    """Apertures and relative areas of rings of the source, float64 of one shape, as far as the objective sees it."""
    low, high = condenser.ring if condenser.contrast == "phase" else (0.0, condenser.na)
    high = min(high, 0.999 * na)
    edges = np.linspace(min(low, 0.99 * high), high, 25)
    rings = np.sqrt(0.5 * (edges[1:] ** 2 + edges[:-1] ** 2))
    return rings, np.diff(edges**2)


def pupil(condenser: Condenser, na: float, index: float, wavelength_um: float, defocus_um: float, rho: Array) -> Array:
    """The objective's complex transmission at apertures `rho` (any shape): opening, phase plate, defocus."""
    inside = rho <= na
    path = np.sqrt(np.maximum(index**2 - np.where(inside, rho, 0.0) ** 2, 0.0))
    value = inside * np.exp(-2j * np.pi / wavelength_um * defocus_um * path)
    if condenser.contrast == "phase":
        low, high = condenser.ring  # the plate is a little larger than the ring's image, so that it need not be exact
        plate = (rho > 0.95 * low) & (rho < 1.05 * high)
        value = np.where(plate, value * -1j * math.sqrt(condenser.ring_transmission), value)
    return np.asarray(value)


class _Part(NamedTuple):
    amplitude: Array  # < P*(s) P(s + f) > / < |P(s)|^2 > at NODES + 1 frequencies
    power: Array  # < |P(s + f)|^2 > / < |P(s)|^2 >
    cutoff_per_um: float
    direct: float


def _at(condenser: Condenser, na: float, index: float, wavelength_um: float, defocus_um: float) -> _Part:
    rings, weights = source(condenser, na)
    angles = (np.arange(96) + 0.5) * (np.pi / 96)  # the other half of the circle is its mirror image
    cutoff = (na + rings.max()) / wavelength_um
    f = np.linspace(0, cutoff, NODES + 1) * wavelength_um
    direct = pupil(condenser, na, index, wavelength_um, defocus_um, rings)
    norm = float(weights @ np.abs(direct) ** 2)
    amplitude, power = np.zeros(NODES + 1, dtype=np.complex128), np.zeros(NODES + 1)
    for ring, weight, undiffracted in zip(rings, weights, direct, strict=True):
        shifted = np.sqrt(ring**2 + (f * f)[:, None] + 2 * ring * f[:, None] * np.cos(angles))
        through = pupil(condenser, na, index, wavelength_um, defocus_um, shifted)
        amplitude += weight * np.conj(undiffracted) * through.mean(axis=1)
        power += weight * (np.abs(through) ** 2).mean(axis=1)
    return _Part(amplitude / norm, power / norm, cutoff, norm / float(weights.sum()))


def _resampled(f: Array, values: Array, cutoff: float) -> Array:
    known = np.linspace(0, cutoff, NODES + 1)
    return np.asarray(np.interp(f, known, values.real, right=0) + 1j * np.interp(f, known, values.imag, right=0))
