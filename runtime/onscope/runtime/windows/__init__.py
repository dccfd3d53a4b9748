"""Which frames are a window: gathered place by place, with rules for gaps, and whose memory a network goes on with."""

from ._gather import LONGEST, MOST_PLACES, Along, Gather, OnGap
from ._places import PLACES as MOST_TOLD
from ._places import Place, Places, Where, place_name
from ._window import GatheredLane

__all__ = [
    "LONGEST",
    "MOST_PLACES",
    "MOST_TOLD",
    "Along",
    "Gather",
    "GatheredLane",
    "OnGap",
    "Place",
    "Places",
    "Where",
    "place_name",
]
