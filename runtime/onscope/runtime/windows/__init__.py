"""Which frames are a window: gathered place by place, with rules for gaps, and whose memory a network goes on with."""

from ._gather import LONGEST, MOST_PLACES, Along, Gather, OnGap
from ._window import GatheredLane

__all__ = [
    "LONGEST",
    "MOST_PLACES",
    "Along",
    "Gather",
    "GatheredLane",
    "OnGap",
]
