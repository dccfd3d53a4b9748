"""Cascades: a package's network on the crops around objects that earlier stages found, many crops at once."""

from ._batches import SIZES, batches_of
from ._cut import BORDERS, Border, cut
from ._links import Links, check_links, chosen, scored
from ._pair_tracker import PairTracker
from ._pairs import PARTS, PairNetwork, check_pairs
from ._runner import CropsRunner
from ._settings import CropPlan, CropSettings, plan_crops

__all__ = [
    "BORDERS",
    "PARTS",
    "SIZES",
    "Border",
    "CropPlan",
    "CropSettings",
    "CropsRunner",
    "Links",
    "PairNetwork",
    "PairTracker",
    "batches_of",
    "check_links",
    "check_pairs",
    "chosen",
    "cut",
    "plan_crops",
    "scored",
]
