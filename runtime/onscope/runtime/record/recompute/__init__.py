"""Recompute: recorded answers computed again from raw frames, with the recorded packages, stages and engine."""

from ._again import StageAgain
from ._recompute import Recomputed, recompute
from ._statistics import statistics_of

__all__ = ["Recomputed", "StageAgain", "recompute", "statistics_of"]
