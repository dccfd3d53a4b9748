"""What light does to a living cell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ._fluorophore import checked_fluence

Array = npt.NDArray[Any]

LETHAL_J_CM2 = ((405.0, 50.0), (640.0, 240_000.0))
"""Fluence in J/cm2 that cells just stand, at two wavelengths in nm.

S. Waeldchen et al., "Light-induced cell damage in live-cell super-resolution microscopy", Scientific Reports 5, 15348
(2015): at most about 50 J/cm2 at 405 nm, and about 1 kW/cm2 for several minutes (taken as four) at 640 nm.
"""

SENSITISED = 0.1
"""Share of `LETHAL_J_CM2` that a cell with an excited dye stands: its free radicals add to those of the cell itself.

Of the order that labelled cells show against unlabelled ones (J. Icha et al., BioEssays 39, 1700003 (2017), a review:
strongly dependent on dye and place), so a chosen number, not a measured one.
"""


def lethal_j_cm2(wavelength_nm: float) -> float:
    """Fluence in J/cm2 of which half of unlabelled cells die: the points of `LETHAL_J_CM2`, straight in its logarithm.

    Held at the ends' values outside of them. Light of 488 nm comes out at 1 kJ/cm2, ten times less dangerous than 405
    nm.
    """
    (short, low), (long, high) = LETHAL_J_CM2
    share = min(max((wavelength_nm - short) / (long - short), 0.0), 1.0)
    return math.exp(math.log(low) + share * math.log(high / low))


def harm(fluence_j_cm2: Array | float, wavelength_nm: float, *, labelled: bool = True) -> Array:
    """Stress that a fluence in J/cm2 adds to a cell: 1 is what the median cell dies of. Shape as the fluence, float32.

    In proportion to the fluence, so that it may be added up; repair is the cell's own affair. `labelled`: a dye
    in the cell absorbs this light. Raises ValueError for a negative fluence.
    """
    per_j = 1 / (lethal_j_cm2(wavelength_nm) * (SENSITISED if labelled else 1.0))
    return checked_fluence(fluence_j_cm2) * np.float32(per_j)
