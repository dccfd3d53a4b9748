"""The shipped packages in fp16 and int8: what they lose on their task, and what they gain on a CPU."""

from ._measure import NAMES, measure
from ._plan import FULL, QUICK, TINY, Plan

__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Plan", "measure"]
