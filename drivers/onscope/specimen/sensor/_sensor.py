"""The sCMOS sensor: from photons to camera counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ._pixels import Pixels, Spread, pixels
from ._strips import ENDLESS, checked, with_deviates

Array = npt.NDArray[Any]

TINY = np.float32(1e-6)  # electrons squared: what is divided by where there is neither light nor noise


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
    pattern (`pattern_seed`) belongs to the same sensor. Defaults are those of a typical data sheet of an sCMOS camera
    of the 82 % class, with pixels that differ in their read noise alone. `SCMOS` has the rest: `response_spread` and
    `offset_spread_counts` between pixels, `dark_electrons_s` per second, a `hot_share` of pixels with about
    `hot_electrons_s`, and a `chip` of (rows, columns) on which regions and binned pixels keep their places.
    """

    quantum_efficiency: float = 0.8
    gain_counts_per_electron: float = 2.2
    offset_counts: float = 100.0
    read_noise_electrons: float = 1.6
    read_noise_spread: float = 0.25
    full_well_electrons: float = 30_000.0
    bit_depth: int = 16
    pattern_seed: int = 0
    response_spread: float = 0.0
    offset_spread_counts: float = 0.0
    dark_electrons_s: float = 0.0
    hot_share: float = 0.0
    hot_electrons_s: float = 200.0
    chip: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.quantum_efficiency <= 1:
            raise ValueError(f"found quantum_efficiency={self.quantum_efficiency}, expected above 0 and at most 1")
        if not 1 <= self.bit_depth <= 16:
            raise ValueError(f"found bit_depth={self.bit_depth}, expected 1 to 16: counts are given as uint16")
        if min(self.gain_counts_per_electron, self.full_well_electrons) <= 0 or self.read_noise_electrons < 0:
            raise ValueError("found a gain or full well of at most 0, or a negative read noise, expected positive ones")
        if min(self.response_spread, self.offset_spread_counts, self.dark_electrons_s, self.hot_electrons_s) < 0:
            raise ValueError("found a negative spread or dark current, expected none below 0: give standard deviations")
        if not 0 <= self.hot_share <= 1:
            raise ValueError(f"found hot_share={self.hot_share}, expected 0 to 1: the share of the pixels that are hot")

    @property
    def saturation_counts(self) -> int:
        """The highest count a pixel can give, unbinned."""
        return self._saturation(1)

    def with_bits(self, bits: int) -> Sensor:
        """The same sensor behind a converter of 8, 12 or any bits up to 16: full well and offset keep their share.

        So 8 bits of a 16-bit camera cost accuracy, not range: one count then stands for 256 of before.
        """
        share = 2.0 ** (bits - self.bit_depth)
        return replace(
            self,
            bit_depth=bits,
            gain_counts_per_electron=self.gain_counts_per_electron * share,
            offset_counts=self.offset_counts * share,
            offset_spread_counts=self.offset_spread_counts * share,
        )

    def expected_counts(self, photons: Array, *, binning: int = 1) -> Array:
        """What the mean of many exposures tends to, saturation included: float32 of the shape of `photons`.

        Of the mean pixel: what pixels differ in, and dark current, count as noise.
        """
        counts = np.multiply(photons, self.gain_counts_per_electron * self.quantum_efficiency, dtype=np.float32)
        counts += np.float32(self.offset_counts)
        return np.clip(counts, 0, self._saturation(binning))

    def expose(
        self,
        photons: Array,
        rng: np.random.Generator,
        *,
        exact: bool = False,
        exposure_s: float = 0.0,
        corner: tuple[int, int] = (0, 0),
        binning: int = 1,
    ) -> Array:
        """One exposure: uint16 counts of shape (y, x) from mean photons per (binned) pixel of the same shape.

        With `exact` the electrons are drawn from the Poisson distribution itself. Without it (several times faster,
        for live use) photon and read noise are drawn together from one normal deviate z and its square: mean and
        variance are those of the exact draw, the skewness agrees to first order (E. A. Cornish, R. A. Fisher, Rev.
        Int. Stat. Inst. 5, 307 (1938)), and single electrons no longer show as steps. `exposure_s` is what dark current
        collects in. `corner` is the (row, column) on the chip where the frame begins; `binning` x `binning` pixels are
        read and then added, as CMOS cameras do, so that their read noise adds up. The same generator state gives the
        same frame, on any number of cores. Raises ValueError for photons that are negative or no numbers, and for a
        region that the chip does not hold.
        """
        shape = (photons.shape[0], photons.shape[1])
        own = self._pixels(shape, corner, binning)
        counts = np.empty(shape, dtype=np.uint16)
        top = self._saturation(binning)
        half = np.float32(self.offset_counts + 0.5)  # the cast cuts off: half a count more makes it round

        def read_out(rows: slice, z: Array) -> None:
            mean = np.multiply(checked(photons[rows]), self.quantum_efficiency, dtype=np.float32, order="C")
            if own.response is not None:
                mean *= own.response[rows]
            own.dark.collect(mean, rows, exposure_s)
            np.minimum(mean, ENDLESS, out=mean)
            if exact:
                electrons = rng.poisson(mean).astype(np.float32)
                electrons += np.sqrt(own.variance[rows]) * z
            else:
                electrons = _noisy(mean, own.variance[rows], z)
            electrons *= np.float32(self.gain_counts_per_electron)
            electrons += half
            if own.offset is not None:
                electrons += own.offset[rows]
            np.clip(electrons, 0, top, out=electrons)
            np.copyto(counts[rows], electrons, casting="unsafe")

        if exact:
            read_out(slice(0, shape[0]), rng.standard_normal(shape, dtype=np.float32))
        else:
            with_deviates(shape, rng, read_out)
        return counts

    def _pixels(self, shape: tuple[int, int], corner: tuple[int, int], binning: int) -> Pixels:
        spread = Spread(
            read_noise_electrons=self.read_noise_electrons,
            read_noise_spread=self.read_noise_spread,
            response=self.response_spread,
            offset_counts=self.offset_spread_counts,
            dark_electrons_s=self.dark_electrons_s,
            hot_share=self.hot_share,
            hot_electrons_s=self.hot_electrons_s,
            chip=self.chip,
            seed=self.pattern_seed,
        )
        return pixels(spread, shape, corner, binning)

    def _saturation(self, binning: int) -> int:
        well = self.offset_counts + self.gain_counts_per_electron * self.full_well_electrons * binning**2
        return int(min(well, 2**self.bit_depth - 1))


SCMOS = Sensor(
    quantum_efficiency=0.82,
    gain_counts_per_electron=1 / 0.46,
    read_noise_electrons=1.0,
    read_noise_spread=0.68,
    response_spread=0.003,
    offset_spread_counts=0.7,
    dark_electrons_s=0.06,
    hot_share=1e-4,
    chip=(2048, 2048),
)
"""A 4-megapixel sCMOS camera with pixels of 6.5 um, in the numbers of the Hamamatsu ORCA-Flash4.0 V3's data sheet.

82 % at 560 nm, 0.46 electrons per count, read noise 1.0 electrons median and 1.6 rms, full well 30,000 electrons, dark
current 0.06 electrons/s, offset 100 counts, dark signal non-uniformity 0.3 electrons. The rest is chosen.
"""


def _noisy(mean: Array, variance: Array, z: Array) -> Array:
    # X = mean + a z + b (z^2 - 1) has variance a^2 + 2 b^2 and third cumulant 6 a^2 b + 8 b^3. With b = mean / 6V the
    # latter is the Poisson one (mean) to first order, and a^2 = V - 2 b^2 keeps the variance V exactly.
    a = variance + mean
    b = mean / np.maximum(a, TINY)
    lost = b * b
    lost *= np.float32(1 / 18)  # b is six times too large up to here
    a -= lost
    np.maximum(a, 0, out=a)
    cv2.sqrt(a, a)
    a *= z
    z *= z
    z -= 1
    z *= b
    z *= np.float32(1 / 6)
    z += a
    z += mean
    return z
