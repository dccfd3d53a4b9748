"""Small trained networks for the live path, their training and their packages. Imports no framework."""

from __future__ import annotations

from pathlib import Path

PACKAGES = Path(__file__).parent / "packages"
"""The folder of the shipped BioImage.IO packages, each named after what it does and what it was trained on."""
PIPELINES = Path(__file__).parent / "pipelines"
"""The folder of the shipped demonstrations: a pipeline for each, and `demos.yaml`, which says what it is shown on."""

__all__ = ["PACKAGES", "PIPELINES"]
