"""What a GPU's engine costs beside its kernels and copies; on machines without one, an engine that stands for it."""

from ._measure import NAMES, measure
from ._plan import FULL, QUICK, TINY, Case, Plan

__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Case", "Plan", "measure"]
