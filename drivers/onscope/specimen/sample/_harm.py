"""What light does to cells: it slows them, and kills them; what they repair. How dyes bleach is the optics' affair."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LETHAL_405_J_CM2 = 50.0
LETHAL_640_J_CM2 = 2.4e5
"""Dose in J/cm2 that cells just stand: about 50 at 405 nm, and 1 kW/cm2 for several minutes at 640 nm (taken as 240 s).
Chosen: that half of them die of it, and that its logarithm is a line between the two wavelengths.

S. Waeldchen, J. Lehmann, T. Klein, S. van de Linde, M. Sauer, Scientific Reports 5, 15348 (2015).
"""

REPAIR_S = 4 * 3600.0
"""Time in seconds after which a cell has undone all but 1/e of the harm; chosen, of the order of DNA repair and of the
clearing of oxidised proteins (hours)."""

RENEWAL_S = 20 * 3600.0
"""Time in seconds in which a living cell makes its dye anew: chosen, about one doubling, as for any long-lived
protein."""

SLOWING_STRESS = 0.15
"""Stress at which cell cycle and walk go at half speed: a choice. Light slows cells, and their walk first of all, at
a fraction of what kills them: P. P. Laissue et al., Nature Methods 14, 657 (2017), R. A. Alghamdi et al., Front. Cell
Dev. Biol. 9, 738786 (2021)."""


def lethal_dose_j_cm2(wavelength_nm: float) -> float:
    """Dose of which the median cell dies, in J/cm2: log-linear in the wavelength through the two measured points.

    Held at its ends outside of 350 to 700 nm, where the line has no support.
    """
    held = min(max(wavelength_nm, 350.0), 700.0)
    slope = math.log(LETHAL_640_J_CM2 / LETHAL_405_J_CM2) / (640 - 405)
    return LETHAL_405_J_CM2 * math.exp(slope * (held - 405))


def pace(stress: Array) -> Array:
    """How fast a cell lives under a stress: 1 unharmed, 1/2 at `SLOWING_STRESS`, float64 of its shape."""
    return np.asarray(1 / (1 + (stress / SLOWING_STRESS) ** 2))
