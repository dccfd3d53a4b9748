"""What one exposure of the specimen gives, and the account of its light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._view import Truth, View


@dataclass(frozen=True, slots=True, eq=False)
class Snap:
    """One exposure: what the camera gave, and what is true of it.

    `counts` is uint16 of the view's shape, `photons` float32 of the same shape: the mean photons per camera pixel,
    without any noise (read-only: the next exposure may show the same array). `expected` are the counts that a camera
    without noise would give. `truth` is None where it was not asked for; else labels and objects as they were before
    this exposure's light. `view` is where in the sample the camera looked, drift included; `z_um` its focal plane.
    """

    number: int
    time_s: float
    channel: str
    exposure_s: float
    z_um: float
    view: View
    counts: npt.NDArray[np.uint16]
    photons: npt.NDArray[np.float32]
    expected: npt.NDArray[Any]
    truth: Truth | None


@dataclass(frozen=True, slots=True)
class Light:
    """What one channel has sent since the start: `exposures` that were read, `seconds` of light (frames read or not),
    `mj` the energy in mJ that left the objective for the whole lit field."""

    exposures: int = 0
    seconds: float = 0.0
    mj: float = 0.0
