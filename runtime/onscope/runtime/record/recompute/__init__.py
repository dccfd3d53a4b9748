"""Recompute: recorded answers computed again from raw frames, with the recorded packages, stages and engine."""

from ._again import StageAgain
from ._epochs import Epochs
from ._packages import find_packages
from ._recompute import Recomputed, recompute
from ._statistics import statistics_of

__all__ = ["Epochs", "Recomputed", "StageAgain", "find_packages", "recompute", "statistics_of"]
