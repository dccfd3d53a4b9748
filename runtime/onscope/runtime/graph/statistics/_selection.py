"""Pixels of given ranks among floats, without sorting all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BINS = 4096
"""Of the first, coarse look: enough that what is sorted in the end is small, few enough to stay in a cache."""


class Selection:
    """Finds the k-th smallest of `pixels` (finite float32, at least one) exactly.

    A histogram tells about where it lies; only what lies there is counted and sorted. That is right however the
    histogram rounded, since the neighbouring bins are looked at too and a rank outside them is noticed.
    """

    def __init__(self, pixels: npt.NDArray[np.float32]) -> None:
        import cv2

        self._pixels = pixels.reshape(1, -1)
        low, high = (float(each) for each in cv2.minMaxLoc(self._pixels)[:2])
        self._parts: list[tuple[int, npt.NDArray[np.float32]]] = []  # how many pixels are smaller; sorted ones
        self._low, self._width = low, (high - low) / BINS
        if not self._width or not np.isfinite(self._width):
            self._parts = [(0, np.sort(self._pixels[0]) if high > low else self._pixels[0])]
            return
        # the largest pixel must lie below the end of the last bin, else it is not counted
        with np.errstate(over="ignore"):
            ranges = [low, float(np.nextafter(np.float32(high), np.float32(np.inf)))]
        self._up_to = np.cumsum(cv2.calcHist([self._pixels], [0], None, [BINS], ranges).astype(np.int64).ravel())

    def ranked(self, ranks: Sequence[int]) -> list[float]:
        """The pixels of these ranks, 0 being the smallest."""
        return [self._one(rank) for rank in ranks]

    def _one(self, rank: int) -> float:
        for below, part in self._parts:
            if below <= rank < below + part.size:
                return float(part[rank - below])
        at = int(np.searchsorted(self._up_to, rank, side="right"))
        with np.errstate(over="ignore"):  # beyond the largest float there is nothing, and infinity says so, too
            start, end = np.float32(self._low + (at - 1) * self._width), np.float32(self._low + (at + 2) * self._width)
        pixels = self._pixels[0]
        smaller = pixels < start
        below = int(np.count_nonzero(smaller))
        part = np.sort(pixels[~smaller & (pixels <= end)])
        if not below <= rank < below + part.size:
            below, part = 0, np.sort(pixels)
        self._parts.append((below, part))
        return float(part[rank - below])
