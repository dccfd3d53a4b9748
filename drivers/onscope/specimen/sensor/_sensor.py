"""The sensor: from photons to camera counts, with the noise of a scientific CMOS camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Sensor:
    """An sCMOS sensor in the linear model of EMVA 1288 (release 4.0, section 2).

    Photons that reach a pixel during the exposure turn into electrons with the probability `quantum_efficiency`, so
    electrons are Poisson distributed; read-out adds Gaussian noise of `read_noise_electrons` (the median over the
    pixels: each pixel has its own, log-normal around it with `read_noise_spread`, which is what sets sCMOS apart from
    CCD: F. Huang et al., Nature Methods 10, 653 (2013)), a gain in counts per electron and an offset in counts;
    the result is rounded and held between 0 and what full well and bit depth allow. In the linear range

        mean_counts     = offset + gain * quantum_efficiency * photons
        variance_counts = gain^2 * (read_noise^2 + quantum_efficiency * photons) + 1/12

    so the variance rises with the mean at a slope of `gain_counts_per_electron` (photon transfer). The same pixel
    pattern (`pattern_seed`) belongs to the same sensor. Dark current is left out: at exposures of milliseconds it is
    below 0.01 electrons. Defaults are those of a typical data sheet of an sCMOS camera of the 82 % class.
    """

    quantum_efficiency: float = 0.8
    gain_counts_per_electron: float = 2.2
    offset_counts: float = 100.0
    read_noise_electrons: float = 1.6
    read_noise_spread: float = 0.25
    full_well_electrons: float = 30_000.0
    bit_depth: int = 16
    pattern_seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.quantum_efficiency <= 1:
            raise ValueError(f"found quantum_efficiency={self.quantum_efficiency}, expected above 0 and at most 1")
        if not 1 <= self.bit_depth <= 16:
            raise ValueError(f"found bit_depth={self.bit_depth}, expected 1 to 16: counts are given as uint16")
        if min(self.gain_counts_per_electron, self.full_well_electrons) <= 0 or self.read_noise_electrons < 0:
            raise ValueError("found a gain or full well of at most 0, or a negative read noise, expected positive ones")

    @property
    def saturation_counts(self) -> int:
        """The highest count a pixel can give."""
        well = self.offset_counts + self.gain_counts_per_electron * self.full_well_electrons
        return int(min(well, 2**self.bit_depth - 1))

    def expected_counts(self, photons: Array) -> Array:
        """What the mean of many exposures tends to, saturation included: float32 of the shape of `photons`."""
        counts = np.multiply(photons, self.gain_counts_per_electron * self.quantum_efficiency, dtype=np.float32)
        counts += np.float32(self.offset_counts)
        return np.clip(counts, 0, self.saturation_counts)

    def expose(self, photons: Array, rng: np.random.Generator, *, exact: bool = False) -> Array:
        """One exposure: uint16 counts of shape (y, x) from mean photons per pixel of the same shape.

        With `exact` the electrons are drawn from the Poisson distribution itself. Without it (several times faster,
        for live use) photon and read noise are drawn together from one normal deviate z and its
        square: mean and variance are those of the exact draw, the skewness agrees to first order (E. A. Cornish,
        R. A. Fisher, Rev. Int. Stat. Inst. 5, 307 (1938)), and single electrons no longer show as steps.
        The same generator state gives the same frame. Raises ValueError for negative photons.
        """
        if photons.size and photons.min() < 0:
            raise ValueError(f"found {photons.min():g} photons in a pixel, expected none below 0")
        mean = np.multiply(photons, self.quantum_efficiency, dtype=np.float32)
        read = _read_noise(photons.shape, self.read_noise_electrons, self.read_noise_spread, self.pattern_seed)
        z = rng.standard_normal(photons.shape, dtype=np.float32)
        if exact:
            counts = rng.poisson(mean).astype(np.float32)
            counts += read * z
        else:
            counts = _noisy(mean, read, z)
        counts *= np.float32(self.gain_counts_per_electron)
        counts += np.float32(self.offset_counts + 0.5)  # the cast below cuts off: half a count more makes it round
        np.clip(counts, 0, self.saturation_counts, out=counts)
        return counts.astype(np.uint16)


def _noisy(mean: Array, read: Array, z: Array) -> Array:
    # X = mean + a z + b (z^2 - 1) has variance a^2 + 2 b^2 and third cumulant 6 a^2 b + 8 b^3. With b = mean / 6V the
    # latter is the Poisson one (mean) to first order, and a^2 = V - 2 b^2 keeps the variance V exactly.
    variance = read * read
    variance += mean
    b = mean / np.maximum(variance, np.float32(1e-6))
    b *= np.float32(1 / 6)
    variance -= 2 * b * b
    np.maximum(variance, 0, out=variance)
    np.sqrt(variance, out=variance)
    variance *= z
    z *= z
    z -= 1
    z *= b
    z += variance
    z += mean
    return z


@lru_cache(maxsize=8)
def _read_noise(shape: tuple[int, ...], median: float, spread: float, seed: int) -> Array:
    deviates = np.random.default_rng(seed).standard_normal(shape)
    pattern = (median * np.exp(spread * deviates)).astype(np.float32)
    pattern.flags.writeable = False
    return pattern
