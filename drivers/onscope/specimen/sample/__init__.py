"""Living samples under the specimen's microscope, each a `Sample`: cells, bacteria, beads, blinking emitters."""

from __future__ import annotations

from ._cells import Cells
from ._settings import CellSettings

__all__ = ["CellSettings", "Cells"]
