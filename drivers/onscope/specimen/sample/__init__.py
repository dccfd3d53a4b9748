"""Living samples under the specimen's microscope, each a `Sample`: cells, bacteria, beads, blinking emitters.

culture = Cells(CellSettings(count=200, extent_um=(800.0, 800.0)), seed=1)
culture.advance(3600)                                   # one hour
layers = culture.layers(View((400.0, 400.0), (512, 512), 0.325), "nucleus")
truth = culture.truth(View((400.0, 400.0), (512, 512), 0.325))
"""

from __future__ import annotations

from ._bacteria import Bacteria
from ._blinking import BlinkingEmitters, EmitterSettings
from ._brownian import BeadSettings, BrownianBeads
from ._cells import Cells
from ._channel import BacteriaSettings
from ._chromatin import kinds
from ._settings import CellSettings
from ._together import Together

__all__ = [
    "Bacteria",
    "BacteriaSettings",
    "BeadSettings",
    "BlinkingEmitters",
    "BrownianBeads",
    "CellSettings",
    "Cells",
    "EmitterSettings",
    "Together",
    "kinds",
]
