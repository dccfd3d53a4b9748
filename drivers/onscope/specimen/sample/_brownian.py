"""Beads that diffuse in the medium."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import CLASSES, OBJECT, Layer, Truth, View
from ..optics import FLUOROPHORES, Fluorophore, surviving
from ._asked import check_dye, check_time
from ._exposure import checked_fluence, received_by_points
from ._points import layers as point_layers

Array = npt.NDArray[Any]

STEP_S = 0.01
"""Length of a step in seconds."""

BOLTZMANN_J_K = 1.380649e-23
"""Boltzmann's constant in J/K: exact by definition (SI, 2019)."""

INDEX_BEAD = 0.25
"""Difference of the refractive index of polystyrene (1.59) to water (1.335)."""


@dataclass(frozen=True, slots=True)
class BeadSettings:
    """Fluorescent beads between two cover slips.

    `count` beads of `diameter_um` on `extent_um` (y, x) in a chamber of `height_um`; `temperature_k` and
    `viscosity_pa_s` (water at 37 degrees Celsius: 0.69 mPa s, IAPWS 2008) set how they diffuse; `molecules` of dye each
    (chosen; data sheets of 0.2 um beads: some 1e5), `stability` multiplies the light that the dye, spectrally a
    `fluorophore`, stands (chosen: beads bleach little). `stuck_fraction` of the beads lie still on the cover slip.
    Raises ValueError for sizes that are not positive and for a fluorophore that is not known.
    """

    count: int = 300
    extent_um: tuple[float, float] = (200.0, 200.0)
    height_um: float = 8.0
    diameter_um: float = 0.5
    temperature_k: float = 310.15
    viscosity_pa_s: float = 0.69e-3
    molecules: float = 1e5
    stability: float = 50.0
    stuck_fraction: float = 0.0
    plane_spacing_um: float = 0.5
    fluorophore: str = "EGFP"

    def __post_init__(self) -> None:
        sizes = (*self.extent_um, self.diameter_um, self.temperature_k, self.viscosity_pa_s, self.plane_spacing_um)
        if min(sizes) <= 0 or self.height_um < self.diameter_um or self.count < 0:
            raise ValueError("found sizes of 0 or less or a chamber lower than a bead, expected positive ones")
        if self.fluorophore not in FLUOROPHORES:
            raise ValueError(f"found fluorophore {self.fluorophore!r}, expected one of {', '.join(FLUOROPHORES)}")

    @property
    def diffusion_um2_s(self) -> float:
        """Diffusion coefficient in um2/s: k T / (3 pi viscosity diameter) (A. Einstein, Ann. Phys. 322, 549 (1905))."""
        per_s = BOLTZMANN_J_K * self.temperature_k / (3 * math.pi * self.viscosity_pa_s * self.diameter_um * 1e-6)
        return per_s * 1e12


class BrownianBeads:
    """Beads that diffuse freely, and are turned back by the chamber's walls: a `Sample` with the dye "beads"."""

    def __init__(self, settings: BeadSettings | None = None, seed: int = 0) -> None:
        self.settings = settings or BeadSettings()
        self._seed, self._time_s, self._step = seed, 0.0, 0
        rng = np.random.Generator(np.random.Philox(seed=[seed, 0xBEAD]))
        of = self.settings
        radius = of.diameter_um / 2
        self._low = np.array([[radius], [0.0], [0.0]])
        self._high = np.array([[max(of.height_um - radius, radius + 1e-9)], [of.extent_um[0]], [of.extent_um[1]]])
        self._place = self._low + (self._high - self._low) * rng.random((3, of.count))
        self._free = rng.random(of.count) >= of.stuck_fraction
        self._place[0, ~self._free] = radius
        self._amount = of.molecules * np.exp(0.15 * rng.standard_normal(of.count))
        self._left = np.ones(of.count)
        self._dose = np.zeros(of.count)

    @property
    def dyes(self) -> tuple[str, ...]:
        """Just "beads"."""
        return ("beads",)

    @property
    def extent_um(self) -> tuple[float, float]:
        """Height and width of the chamber in um."""
        return self.settings.extent_um

    @property
    def step_s(self) -> float:
        """Seconds of a step: time changes the sample at its multiples."""
        return STEP_S

    @property
    def time_s(self) -> float:
        """Time since the start in seconds."""
        return self._time_s

    @property
    def places_um(self) -> Array:
        """Where the beads are: (3, count), rows z, y, x."""
        return np.array(self._place)

    def advance(self, to_s: float) -> None:
        """Diffuses until `to_s`, in steps of 10 ms. Raises ValueError for a time that is past, or endless."""
        check_time(to_s, self._time_s, "diffusion")
        last = int((to_s + 1e-9) / STEP_S)
        width = math.sqrt(2 * self.settings.diffusion_um2_s * STEP_S)
        for step in range(self._step, last if self._free.any() else self._step):
            rng = np.random.Generator(np.random.Philox(key=self._seed, counter=[0, 0, 0xBEAD, step]))
            place = self._place + width * self._free * rng.standard_normal(self._place.shape)
            place = np.where(place < self._low, 2 * self._low - place, place)
            self._place = np.where(place > self._high, 2 * self._high - place, place)
        self._step, self._time_s = last, float(to_s)

    def fluorophore(self, dye: str) -> Fluorophore:
        """The beads' dye, taken to be spectrally like a fluorescent protein. Raises KeyError for another dye."""
        check_dye(dye, self.dyes)
        return FLUOROPHORES[self.settings.fluorophore]

    def layers(self, view: View, dye: str) -> list[Layer]:
        """Beads as Gaussians with a ball's variance (diameter^2 / 20), on planes half a um apart."""
        check_dye(dye, self.dyes)
        sigma = self.settings.diameter_um / math.sqrt(20)
        z, y, x = self._place
        return point_layers(view, z, y, x, self._amount * self._left, sigma, self.settings.plane_spacing_um)

    def thickness(self, view: View) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Optical path difference in nm (volume per area) and absorbance, float32 images."""
        volume = math.pi * self.settings.diameter_um**3 / 6
        z, y, x = self._place
        sigma = self.settings.diameter_um / math.sqrt(20)
        high = np.zeros(view.shape, dtype=np.float32)
        for layer in point_layers(view, z, y, x, np.full(len(z), volume / view.pixel_um**2), sigma, 1e6):
            high += layer.amount
        return high * np.float32(1000 * INDEX_BEAD), high * np.float32(0.01)

    def expose(self, view: View, dye: str | None, fluence_j_cm2: Array | float, wavelength_nm: float) -> None:
        """Bleaches the beads in the view by the fluence at their middles; nothing here can be harmed."""
        if dye is not None:
            check_dye(dye, self.dyes)
        received = received_by_points(view, self._place[1], self._place[2], checked_fluence(view, fluence_j_cm2))
        self._dose += received
        if dye is not None:
            self._left *= surviving(received / self.settings.stability, wavelength_nm, self.fluorophore(dye))

    def truth(self, view: View) -> Truth:
        """A row for every bead whose middle lies in the view; no labels, they are points."""
        z, y, x = self._place
        chosen = np.flatnonzero(view.contains(y, x))
        out = np.zeros(len(chosen), dtype=OBJECT)
        out["id"], out["kind"], out["on"] = chosen + 1, CLASSES.index("bead"), True
        out["z_um"], out["y_um"], out["x_um"] = z[chosen], y[chosen], x[chosen]
        out["area_um2"] = math.pi * self.settings.diameter_um**2 / 4
        out["dose_j_cm2"], out["bleached"] = self._dose[chosen], 1 - self._left[chosen]
        none = np.zeros(view.shape, dtype=np.int32)
        return Truth(self._time_s, none, none.copy(), out)
