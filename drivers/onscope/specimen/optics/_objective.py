"""Objectives: aperture, magnification, immersion, and the share of a molecule's light that they pass on."""

from __future__ import annotations

import math
from dataclasses import dataclass

SAMPLE_INDEX = 1.36
"""Refractive index of living cells: 1.337 (medium) to 1.38 (P. Y. Liu et al., Lab on a Chip 16, 634 (2016))."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A microscope objective.

    `na` is the numerical aperture, `immersion_index` the refractive index of what is between front lens and coverslip,
    `transmission` the share of collected light that reaches the camera through objective, dichroic mirror, emission
    filter and tube lens (0.6 is chosen: five parts that pass 0.9 each). Raises ValueError for an aperture that the
    immersion does not allow.
    """

    magnification: float = 60.0
    na: float = 1.4
    immersion_index: float = 1.515
    transmission: float = 0.6

    def __post_init__(self) -> None:
        if not 0 < self.na < self.immersion_index:
            raise ValueError(
                f"found an aperture of {self.na} in an immersion of index {self.immersion_index}, expected above 0 and "
                "below the index: sin of the opening angle is their ratio"
            )
        if not (self.magnification > 0 and 0 < self.transmission <= 1):
            raise ValueError(
                f"found magnification={self.magnification} and transmission={self.transmission}, expected a positive "
                "one and a share above 0, at most 1"
            )

    @property
    def collection(self) -> float:
        """Share of an isotropic emitter's photons that reaches the camera from a sample of SAMPLE_INDEX."""
        return self.collection_from(SAMPLE_INDEX)

    def collection_from(self, sample_index: float) -> float:
        """The same from a sample of any refractive index: the cone's share of all directions times `transmission`.

        The share is (1 - cos a) / 2 of the cone in the sample, sin a = NA / sample_index, for rays bend at the
        coverslip: an air objective collects from water about index^2 times less than from air. An aperture above the
        index takes the whole half of the directions; that molecules within a fraction of a wavelength of the glass
        send more than half of their light into it (E. H. Hellen, D. Axelrod, J. Opt. Soc. Am. B 4, 337 (1987)) is left
        out.
        """
        return 0.5 * (1 - math.sqrt(max(1 - (self.na / sample_index) ** 2, 0.0))) * self.transmission


OBJECTIVES = {
    "10x/0.30": Objective(10, 0.30, 1.0),
    "20x/0.75": Objective(20, 0.75, 1.0),
    "40x/0.95": Objective(40, 0.95, 1.0),
    "60x/1.20 W": Objective(60, 1.20, 1.333),
    "60x/1.40 Oil": Objective(60, 1.40, 1.515),
    "100x/1.49 TIRF": Objective(100, 1.49, 1.515),
}
"""Common objectives: W is water, Oil and TIRF use oil of index 1.515 (ISO 8036: 1.518 at 546 nm and 23 degrees C)."""
