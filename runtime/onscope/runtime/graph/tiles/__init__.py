"""Frames cut into tiles: planned, run, and joined without a seam where the halo covers the receptive field."""

from ._tiled import Tiled
from ._tiles import AXES, plan_tiles, side_that_fits, starts_of

__all__ = [
    "AXES",
    "Tiled",
    "plan_tiles",
    "side_that_fits",
    "starts_of",
]
