"""Statistics of raw frames that do not depend on a camera's offset and gain, to tell frames of one kind from others."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ._patches import SIDE, Float, halved
from ._residual import noise_of

BANDS = tuple(2**level for level in range(6))
"""Sides in pixels of the details that a band is about."""
STATISTICS = ("peak", "skew", "saturated", *(f"detail {band} px" for band in BANDS))
"""What `input_statistics` gives, in its order."""
EVERY = 3
"""Of the patches' pixels: those that percentiles are taken of. No power of two, so that all columns take part."""
LEAST_SHARE = 1e-3


def input_statistics(patches: Float, noise: float | None = None) -> npt.NDArray[np.float64] | None:
    """The statistics of a raw frame's patches (`Patches.of`), float64 (9,); None for a frame of one value alone.

    All are logarithms of ratios, to the base of 10, so that they stay as they are when counts are multiplied or
    something is added to them:

    - peak: the 99.8th percentile above the median, over the noise: how far the brightest stands out;
    - skew: the 99th percentile above the median over that of the median above the 1st: few bright objects on a dark
      ground, or as much of the one as of the other;
    - saturated: share of the pixels that have the frame's largest value;
    - detail 1 px, 2 px ... 32 px: variance between the halves of squares of twice that side, over that of white noise:
      0 where there is noise alone. Bands of Haar's wavelets, since means of squares split a variance exactly; another
      magnification or defocus moves structure from band to band, noise that is correlated empties the first.

    `noise` is `noise_of` the same patches.
    """
    noise = noise_of(patches) if noise is None else noise
    values = np.sort(patches.ravel()[::EVERY])
    low, middle, high, top = (float(values[int(share * (len(values) - 1))]) for share in (0.01, 0.5, 0.99, 0.998))
    largest = float(patches.max())
    if not largest > low or not np.isfinite(largest):
        return None
    noise = max(noise, 1e-6 * (largest - low))
    peak = np.log10(max(top - middle, 0.1 * noise) / noise)
    skew = np.log10((high - middle + noise / 2) / (middle - low + noise / 2))
    share = cv2.countNonZero(cv2.inRange(patches, largest, largest)) / patches.size
    level = patches - np.float32(middle)
    squares = _square(level)
    details = []
    for band in BANDS:
        level = halved(level)
        coarser = _square(level)
        white = 0.75 * (noise / band) ** 2
        details.append(np.log10(max(squares - coarser, 1e-2 * white) / white))
        squares = coarser
    return np.array([peak, skew, np.log10(share + LEAST_SHARE), *details])


def _square(image: Float) -> float:
    return float(cv2.norm(image, cv2.NORM_L2SQR)) / image.size


assert BANDS[-1] * 2 <= SIDE
