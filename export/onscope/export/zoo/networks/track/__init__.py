"""Networks that follow objects from frame to frame: masks of daughters, motion and mitosis, instances, associations."""

from .cell_association import CellAssociation
from .delta import DELTA_PAIR, DeltaSegmentation, DeltaTracking
from .microtubules import RecurrentAttention
from .multi_output import MultiOutputTracker

__all__ = [
    "DELTA_PAIR",
    "CellAssociation",
    "DeltaSegmentation",
    "DeltaTracking",
    "MultiOutputTracker",
    "RecurrentAttention",
]
