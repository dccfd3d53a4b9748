"""What ruins a normalisation unnoticed: a hot pixel that is the maximum, and a camera at its end."""

from __future__ import annotations

from ._distribution import Counts, Distribution
from ._percentile import position

SHARE = 1e-4
"""This share of the pixels (but at least `FEW`) may be hot without changing what the frame shows."""
FEW = 4
LEAST_COUNTS = 16
"""A maximum that is less than this above the others is noise."""


def hot_pixel(of: Distribution, percentile: float) -> str:
    """A sentence when the percentile is the largest pixel and that stands far from all others; "" otherwise.

    Far: farther above the 99.99th percentile than that is above the median, so that what is normalised with it has
    less than half of the contrast that it could have.
    """
    few = max(FEW, int(of.total * SHARE))
    if percentile < 50 or of.total < 16 * FEW:
        return ""
    at = position(percentile / 100, of.total, "linear")
    if at.above <= of.total - 1 - few:  # enough pixels lie above it already
        return ""
    taken, top, others, middle = of.ranked((at.above, of.total - 1, of.total - 1 - few, of.total // 2))
    least = LEAST_COUNTS if isinstance(of, Counts) else 0
    if taken < top or top - others <= max(others - middle, least):
        return ""
    return (
        f"the largest pixel has {top:g}, all but {few} of {of.total} have at most {others:g}: percentile "
        f"{percentile:g} is that one pixel, and everything else loses contrast; mask it by a hot-pixel map of the "
        "camera's calibration"
    )


def saturated(of: Counts, full_scale: int) -> str:
    """A sentence when more than 0.01 % of the pixels are at or above the largest count of the bit depth."""
    share = of.share_from(full_scale)
    if share <= SHARE:
        return ""
    return (
        f"{100 * share:.3g} % of the pixels are at {full_scale} or above, the largest count of the camera's effective "
        "bit depth: what is brighter is lost; lower the exposure or the light, or correct the bit depth"
    )
