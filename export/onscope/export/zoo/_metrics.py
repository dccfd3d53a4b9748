"""How good an answer is against the truth: PSNR, the best classical filters, precision and recall of spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, maximum_filter, median_filter

from .._agreement import near_pairs, psnr_db

Array = npt.NDArray[Any]
MATCH_PX = 1.5
"""A spot is found when an answer lies within this many pixels of it."""
BORDER_PX = 2.0
"""Spots nearer to the border than this count neither way when they have no partner."""


def psnr(image: Array, truth: Array) -> float:
    """Peak signal-to-noise ratio in dB: the span of the truth (largest minus smallest) over the RMS error."""
    return psnr_db(truth, image)


def best_gaussian(frame: Array, truth: Array) -> float:
    """PSNR in dB of the Gaussian filter whose width suits this frame best (0.5 to 4 pixels, the truth known)."""
    image = frame.astype(np.float32)
    return max(psnr(gaussian_filter(image, sigma), truth) for sigma in np.arange(0.5, 4.01, 0.25))


def best_median(frame: Array, truth: Array) -> float:
    """PSNR in dB of the median filter whose size suits this frame best (3 to 9 pixels, the truth known)."""
    return max(psnr(median_filter(frame, size), truth) for size in (3, 5, 7, 9))


@dataclass(frozen=True, slots=True)
class Found:
    """Counts of one or more frames; add them up before taking ratios. `squared_px2` sums the matches' errors."""

    matched: int
    spurious: int
    missed: int
    squared_px2: float

    def __add__(self, other: Found) -> Found:
        return Found(
            self.matched + other.matched,
            self.spurious + other.spurious,
            self.missed + other.missed,
            self.squared_px2 + other.squared_px2,
        )

    @property
    def precision(self) -> float:
        return self.matched / max(self.matched + self.spurious, 1)

    @property
    def recall(self) -> float:
        return self.matched / max(self.matched + self.missed, 1)

    @property
    def f1(self) -> float:
        return 2 * self.matched / max(2 * self.matched + self.spurious + self.missed, 1)

    @property
    def rms_px(self) -> float:
        """Root mean square distance of the matched spots from the truth, in pixels."""
        return float(np.sqrt(self.squared_px2 / max(self.matched, 1)))


def match(spots: Array, truth: Array, shape: tuple[int, int], *, faint: Array | None = None) -> Found:
    """Pair `spots` (n, 2) with `truth` (m, 2), y and x in pixels, so that the sum of distances is least.

    Pairs are at most `MATCH_PX` apart. Spots that pair with a `faint` position (k, 2) and those near the border
    (`BORDER_PX`) without a partner do not count.
    """
    rows, columns, distance = near_pairs(spots, truth, MATCH_PX)
    alone = np.delete(spots, rows, axis=0)
    if faint is not None and len(faint):
        alone = np.delete(alone, near_pairs(alone, faint, MATCH_PX)[0], axis=0)
    missed = np.delete(truth, columns, axis=0)
    return Found(
        len(rows), _away_from_border(alone, shape), _away_from_border(missed, shape), float(np.sum(distance**2))
    )


def reference_spots(truth: Array, *, least: float) -> Array:
    """Sub-pixel maxima of a noise-free image (y, x), for scenes without a list of beads: float64 (n, 2), y and x.

    Maxima of 5x5 pixels that rise `least` above the image's median, refined by a parabola through the logarithm of
    three pixels along each axis, which is exact for a Gaussian.
    """
    image = truth.astype(np.float64) - float(np.median(truth))
    peaks = np.argwhere((image == maximum_filter(image, 5)) & (image > least))
    inner = [(y, x) for y, x in peaks if 0 < y < image.shape[0] - 1 and 0 < x < image.shape[1] - 1]
    refined = [(y + _vertex(image[y - 1 : y + 2, x]), x + _vertex(image[y, x - 1 : x + 2])) for y, x in inner]
    return np.array(refined, dtype=np.float64).reshape(-1, 2)


def _vertex(three: Array) -> float:
    below, middle, above = np.log(np.maximum(three, 1e-3))
    curvature = below - 2 * middle + above
    return float(np.clip(0.5 * (below - above) / curvature, -0.5, 0.5)) if curvature < 0 else 0.0


def _away_from_border(spots: Array, shape: tuple[int, int]) -> int:
    y, x = spots[:, 0], spots[:, 1]
    inside = (y > BORDER_PX) & (y < shape[0] - 1 - BORDER_PX) & (x > BORDER_PX) & (x < shape[1] - 1 - BORDER_PX)
    return int(inside.sum())
