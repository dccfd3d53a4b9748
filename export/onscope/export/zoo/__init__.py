"""Three small trained networks for the live path, their training and their packages. Imports no framework."""

from __future__ import annotations

from pathlib import Path

PACKAGES = Path(__file__).parent / "packages"
"""The folder of the shipped BioImage.IO packages: care-beads, espcn-beads, spots-beads."""

__all__ = ["PACKAGES"]
