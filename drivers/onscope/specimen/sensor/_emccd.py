"""The EMCCD sensor: single photons above the read noise, at the price of excess noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ._deviates import draw
from ._strips import ENDLESS, checked, with_generators

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Emccd:
    """A CCD with an electron-multiplying register.

    Electrons are Poisson distributed around quantum_efficiency * photons + `clock_induced_electrons` (per pixel and
    frame) + `dark_electrons_s` * exposure. The register multiplies each by `em_gain` on average: n electrons leave it
    as n and a gamma distributed number with shape n and scale em_gain - 1 (for high gains A. G. Basden, C. A. Haniff,
    C. D. Mackay, MNRAS 345, 985 (2003)), which multiplies the variance of the photon noise by `excess_noise`, nearly
    2. The amplifier adds `read_noise_electrons`, the converter takes `electrons_per_count` and adds `offset_counts`.
    In the linear range

        mean_counts     = offset + g * electrons,   g = em_gain / electrons_per_count
        variance_counts = excess_noise * g^2 * electrons + (read_noise / electrons_per_count)^2 + 1/12

    so the slope of variance over mean is excess_noise * g. A pixel saturates at `full_well_electrons` before,
    `register_electrons` after the multiplication, or at the bit depth. Defaults are those of a back-illuminated EMCCD
    with pixels of 13 um (Andor, iXon Ultra 888: read noise about 45 electrons at 10 MHz; wells, clock-induced charge
    and dark current of the order of its data sheet), the converter set so that the register's well fills 16 bits; gain
    and offset are chosen.
    Raises ValueError for what cannot be.
    """

    quantum_efficiency: float = 0.93
    em_gain: float = 300.0
    electrons_per_count: float = 11.2
    offset_counts: float = 200.0
    read_noise_electrons: float = 45.0
    clock_induced_electrons: float = 0.005
    dark_electrons_s: float = 0.0002
    full_well_electrons: float = 80_000.0
    register_electrons: float = 730_000.0
    bit_depth: int = 16
    chip: tuple[int, int] | None = (1024, 1024)

    def __post_init__(self) -> None:
        if not (0 < self.quantum_efficiency <= 1 and 1 <= self.bit_depth <= 16):
            raise ValueError(
                f"found quantum_efficiency={self.quantum_efficiency} and bit_depth={self.bit_depth}, expected above 0 "
                "and at most 1, and 1 to 16 bits"
            )
        if self.em_gain < 1 or min(self.electrons_per_count, self.full_well_electrons, self.register_electrons) <= 0:
            raise ValueError(
                "found an em_gain below 1 or a size of at most 0, expected a gain of 1 or more and wells above 0"
            )
        if min(self.read_noise_electrons, self.clock_induced_electrons, self.dark_electrons_s) < 0:
            raise ValueError("found a negative noise or dark current, expected none below 0")

    @property
    def gain_counts_per_electron(self) -> float:
        """Counts per electron of a pixel, on average."""
        return self.em_gain / self.electrons_per_count

    @property
    def excess_noise(self) -> float:
        """By what the photon noise's variance is larger than without multiplication: 1 + (1 - 1 / em_gain)^2."""
        return 1 + (1 - 1 / self.em_gain) ** 2

    @property
    def saturation_counts(self) -> int:
        """The highest count a pixel can give."""
        well = min(self.full_well_electrons * self.em_gain, self.register_electrons) / self.electrons_per_count
        return int(min(self.offset_counts + well, 2**self.bit_depth - 1))

    def with_bits(self, bits: int) -> Emccd:
        """The same sensor behind a converter of fewer or more bits: range and offset keep their share."""
        share = 2.0 ** (bits - self.bit_depth)
        return replace(
            self,
            bit_depth=bits,
            electrons_per_count=self.electrons_per_count / share,
            offset_counts=self.offset_counts * share,
        )

    def expected_counts(self, photons: Array, *, binning: int = 1) -> Array:
        """What the mean of many exposures tends to, without dark current: float32 of the shape of `photons`."""
        electrons = np.multiply(photons, self.quantum_efficiency, dtype=np.float32)
        electrons += np.float32(self.clock_induced_electrons * binning**2)
        electrons *= np.float32(self.gain_counts_per_electron)
        electrons += np.float32(self.offset_counts)
        return np.clip(electrons, 0, self.saturation_counts)

    def expose(
        self,
        photons: Array,
        rng: np.random.Generator,
        *,
        exposure_s: float = 0.0,
        corner: tuple[int, int] = (0, 0),
        binning: int = 1,
    ) -> Array:
        """One exposure: uint16 counts of shape (y, x) from mean photons per (binned) pixel of the same shape.

        `binning` x `binning` pixels are added on the chip, before they are read: the read noise counts once. `corner`
        is where the frame begins on the chip. The same generator state gives the same frame, on any number of cores.
        Raises ValueError for photons that are negative or no numbers, and for a region that the chip does not hold.
        """
        ends = [c + n * binning for c, n in zip(corner, photons.shape, strict=True)]
        if min(corner) < 0 or binning < 1 or (self.chip and (ends[0] > self.chip[0] or ends[1] > self.chip[1])):
            raise ValueError(
                f"found a region of {photons.shape} pixels with binning {binning} at {corner}, expected one within the "
                f"chip of {self.chip}"
            )
        counts = np.empty(photons.shape, dtype=np.uint16)
        stray = self.clock_induced_electrons + self.dark_electrons_s * exposure_s

        def read_out(rows: slice, own: np.random.Generator) -> None:
            mean = np.multiply(checked(photons[rows]), self.quantum_efficiency, dtype=np.float32)
            mean += np.float32(stray * binning**2)
            np.minimum(mean, ENDLESS, out=mean)
            electrons = np.minimum(own.poisson(mean), self.full_well_electrons).astype(np.float32)
            multiplied = own.standard_gamma(electrons, dtype=np.float32)  # 0 where there is none
            multiplied *= np.float32(self.em_gain - 1)
            multiplied += electrons
            np.minimum(multiplied, self.register_electrons, out=multiplied)
            z = draw(own, (mean.shape[0], mean.shape[1])).deviates()
            z *= np.float32(self.read_noise_electrons)
            multiplied += z
            multiplied *= np.float32(1 / self.electrons_per_count)
            multiplied += np.float32(self.offset_counts + 0.5)  # the cast cuts off: half a count more makes it round
            np.clip(multiplied, 0, self.saturation_counts, out=multiplied)
            np.copyto(counts[rows], multiplied, casting="unsafe")

        with_generators((photons.shape[0], photons.shape[1]), rng, read_out)
        return counts


EMCCD = Emccd()
"""An EMCCD of 1 megapixel, its pixels 13 um wide."""
