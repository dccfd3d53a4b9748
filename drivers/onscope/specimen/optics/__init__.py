"""The microscope's optics: from molecules in the sample to photons on the camera."""

from __future__ import annotations

from ._gaussian import GAUSSIAN_WIDTH, Optics

__all__ = ["GAUSSIAN_WIDTH", "Optics"]
