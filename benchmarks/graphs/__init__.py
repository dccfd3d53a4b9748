"""What compiled graphs cost: against the bare network, today's script, bioimageio.core, and each other."""

from ._measure import NAMES, measure
from ._plan import FULL, QUICK, TINY, Plan

__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Plan", "measure"]
