"""Networks of light: layers that delay it, the free space between them, and what detectors see at the end."""

from .d2nn import D2nn, detector_regions
from .fourier_d2nn import FourierD2nn, Photorefractive
from .optics import Fourier, FreeSpace, PhaseMask

__all__ = ["D2nn", "Fourier", "FourierD2nn", "FreeSpace", "PhaseMask", "Photorefractive", "detector_regions"]
