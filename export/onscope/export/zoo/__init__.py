"""Small trained networks for the live path, their training and their packages. Imports no framework."""

from __future__ import annotations

from pathlib import Path

PACKAGES = Path(__file__).parent / "packages"
"""The folder of the shipped BioImage.IO packages, each named after what it does and what it was trained on."""

__all__ = ["PACKAGES"]
