"""The microscope's optics: from molecules and thickness in the sample to photons on the camera.

scope = Microscope(OBJECTIVES["60x/1.40 Oil"])
view = View((y_um, x_um), (512, 512), scope.pixel_um)
light = Illumination(wavelength_nm=488, power_mw=2)
photons = scope.image(sample, view, "nucleus", z_um=3.0, illumination=light, exposure_s=0.05)
sample.expose(view, "nucleus", scope.fluence(view, light, 0.05), 488)
"""

from __future__ import annotations

from ._condenser import Condenser
from ._drift import Drift
from ._fluorophore import EGFP, FLUOROPHORES, MCHERRY, Fluorophore, surviving
from ._gaussian import GAUSSIAN_WIDTH, Optics
from ._illumination import Illumination
from ._lens import Lens
from ._light import irradiance_w_cm2, photon_energy_j
from ._microscope import MODES, Microscope, Mode
from ._objective import OBJECTIVES, Objective
from ._path import LightPath
from ._pattern import Mask, Stripes

__all__ = [
    "EGFP",
    "FLUOROPHORES",
    "GAUSSIAN_WIDTH",
    "MCHERRY",
    "MODES",
    "OBJECTIVES",
    "Condenser",
    "Drift",
    "Fluorophore",
    "Illumination",
    "Lens",
    "LightPath",
    "Mask",
    "Microscope",
    "Mode",
    "Objective",
    "Optics",
    "Stripes",
    "irradiance_w_cm2",
    "photon_energy_j",
    "surviving",
]
