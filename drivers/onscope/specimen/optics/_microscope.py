"""The microscope: what a camera behind it would receive."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._view import Sample, View
from ._condenser import Condenser
from ._fluorescence import photons
from ._fluorophore import EGFP, Fluorophore
from ._grid import enclosing
from ._illumination import Illumination
from ._lens import Lens
from ._light import photon_energy_j
from ._objective import SAMPLE_INDEX, Objective
from ._path import LightPath
from ._transmitted import transmitted

Array = npt.NDArray[Any]
Mode = Literal["widefield", "confocal", "tirf", "transmitted"]
MODES: tuple[Mode, ...] = ("widefield", "confocal", "tirf", "transmitted")

TRANSMITTED_MARGIN_UM = 8.0
"""Margin in um of a transmitted image: chosen, as halos of phase contrast reach that far."""


@dataclass(frozen=True, slots=True)
class Microscope:
    """Objective, mode and what else lies in the light path. Any thread may use it; it changes nothing.

    `mode`: "widefield"; "confocal" (a scanned spot behind a pinhole of `pinhole_airy` Airy units); "tirf" (light from
    below at `tirf_angle_deg`, beyond the critical angle); "transmitted" (light through the sample, by `condenser`).
    Structured illumination is a wide field (or TIRF) whose `Illumination` has `Stripes`. `camera_pixel_um` is the
    side of a pixel on the chip, `sample_index` the refractive index of cells and medium alike, `medium_per_um3`
    how many molecules per um3 of the medium shine like the dye: 40 are 66 nM (chosen: the order of what medium and
    cells give by themselves under blue light). `tirf_angle_deg`, `pinhole_airy` and `camera_pixel_um` are common
    ones, chosen. Raises ValueError for what cannot be.
    """

    objective: Objective = field(default_factory=Objective)
    mode: Mode = "widefield"
    camera_pixel_um: float = 6.5
    sample_index: float = SAMPLE_INDEX
    pinhole_airy: float = 1.0
    tirf_angle_deg: float = 70.0
    medium_per_um3: float = 40.0
    condenser: Condenser = field(default_factory=Condenser)
    path: LightPath = field(default_factory=LightPath)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f'found mode="{self.mode}", expected one of {", ".join(MODES)}')
        if not (self.camera_pixel_um > 0 and self.sample_index >= 1 and self.pinhole_airy > 0):
            raise ValueError(
                f"found camera_pixel_um={self.camera_pixel_um}, sample_index={self.sample_index}, "
                f"pinhole_airy={self.pinhole_airy}, expected sizes above 0 and an index of at least 1"
            )
        if (
            self.mode == "transmitted"
            and self.condenser.contrast == "phase"
            and self.condenser.ring[1] > self.objective.na
        ):
            raise ValueError(
                f"found a phase ring up to aperture {self.condenser.ring[1]} with an objective of {self.objective.na}, "
                "expected a ring that it sees: choose a smaller ring"
            )
        if self.mode == "tirf":
            sine = self.objective.immersion_index * math.sin(math.radians(self.tirf_angle_deg))
            if not self.sample_index < sine <= self.objective.na:
                raise ValueError(
                    f"found light at {self.tirf_angle_deg} degrees (aperture {sine:.3f}), expected an aperture "
                    f"above the sample's index {self.sample_index} and at most the objective's {self.objective.na}: "
                    "total reflection needs the one, the way through the objective the other"
                )

    @property
    def pixel_um(self) -> float:
        """Side of an unbinned camera pixel in the sample, in um."""
        return self.camera_pixel_um / self.objective.magnification

    def lens(self, wavelength_nm: float) -> Lens:
        """The objective at a wavelength."""
        return Lens(self.objective.na, wavelength_nm / 1000, self.sample_index, self.objective.immersion_index)

    def evanescent(self, wavelength_nm: float) -> tuple[float, float]:
        """Depth in um at which a TIRF field is down to 1/e, and its strength at the coverslip relative to the beam's.

        depth = wavelength / (4 pi sqrt(n1^2 sin^2 a - n2^2)), strength = 4 cos^2 a / (1 - (n2/n1)^2) for light
        polarised across the plane of incidence: D. Axelrod, Traffic 2, 764 (2001).
        """
        glass, angle = self.objective.immersion_index, math.radians(self.tirf_angle_deg)
        root = math.sqrt((glass * math.sin(angle)) ** 2 - self.sample_index**2)
        strength = 4 * math.cos(angle) ** 2 / (1 - (self.sample_index / glass) ** 2)
        return wavelength_nm / 1000 / (4 * math.pi * root), strength

    def image(
        self,
        sample: Sample,
        view: View,
        dye: str | None,
        z_um: float,
        illumination: Illumination,
        exposure_s: float,
        *,
        fluorophore: Fluorophore = EGFP,
        axis_um: tuple[float, float] | None = None,
    ) -> Array:
        """Mean photons per pixel of `view` in one exposure, float32 (rows, columns), without any noise.

        `dye` is what of the sample shines, as `fluorophore`; transmitted light has none. `z_um` is the height of the
        focal plane above the coverslip, `axis_um` the sample point (y, x) on the optical axis where that is not the
        middle of `view` (a region of the camera): light, vignetting and dust belong to the axis. Raises KeyError for
        a dye that the sample has not, ValueError for fluorescence without a dye, an exposure that is negative or no
        number, or a focal plane that is none.

        What lies outside of the view is drawn 3 um wide (8 um in transmitted light, 64 pixels at most); beyond, the
        opposite side stands in for it. So a region of the camera shows what the whole frame shows there, but near its
        border where much of the light is far out of focus: some percent of the mean, for 5 um and more.
        """
        if not 0 <= exposure_s < math.inf:
            raise ValueError(f"found an exposure of {exposure_s} s, expected none below 0, and a number")
        if not math.isfinite(z_um):
            raise ValueError(f"found a focal plane at {z_um} um, expected a height above the coverslip: give a number")
        at_um = _off_axis(view, axis_um)
        if self.mode == "transmitted":
            image = self._transmitted(sample, view, z_um, illumination, exposure_s, at_um)
        elif dye is None:
            raise ValueError(f'found no dye in mode "{self.mode}", expected one of {", ".join(sample.dyes)}')
        else:
            image = photons(self, sample, view, dye, z_um, illumination, exposure_s, fluorophore, at_um)
        enlarged = self.objective.magnification
        image *= self.path.transmission(
            view.shape, view.pixel_um * enlarged, (at_um[0] * enlarged, at_um[1] * enlarged)
        )
        return image

    def fluence(
        self,
        view: View,
        illumination: Illumination,
        exposure_s: float,
        *,
        axis_um: tuple[float, float] | None = None,
    ) -> Array:
        """J/cm2 that the sample gets in one exposure, float32 (rows, columns): what `Sample.expose` takes.

        In focus, whatever the mode: a scanned spot delivers the same energy, and an evanescent field harms at the
        coverslip what it would harm everywhere.
        """
        light = illumination.irradiance(
            view.shape, view.pixel_um, at_um=_off_axis(view, axis_um), index=self.sample_index
        )
        return np.asarray(light * np.float32(exposure_s))

    def _transmitted(
        self,
        sample: Sample,
        view: View,
        z_um: float,
        light: Illumination,
        exposure_s: float,
        at_um: tuple[float, float],
    ) -> Array:
        large, inside = enclosing(view, TRANSMITTED_MARGIN_UM)
        path_nm, absorbance = sample.thickness(large)
        relative = transmitted(
            self.condenser,
            self.objective,
            path_nm,
            absorbance,
            view.pixel_um,
            light.wavelength_nm,
            z_um,
            self.sample_index,
        )[inside]
        image = relative * light.relative(view.shape, view.pixel_um, at_um=at_um, index=self.sample_index)
        pixel_cm2 = (view.pixel_um * 1e-4) ** 2
        photons_per_pixel = light.mean_w_cm2 * exposure_s * pixel_cm2 / photon_energy_j(light.wavelength_nm)
        image *= np.float32(photons_per_pixel * self.objective.transmission)
        return np.asarray(image)


def _off_axis(view: View, axis_um: tuple[float, float] | None) -> tuple[float, float]:
    if axis_um is None:
        return 0.0, 0.0
    return view.centre_um[0] - axis_um[0], view.centre_um[1] - axis_um[1]
