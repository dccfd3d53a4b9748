"""How an image's values are spread, and which of them are shown as black and white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

BINS = 256
FINE = 4096
"""Bins in which the percentiles of fractions are looked for."""
SMALLEST = 1e-6
LOW, HIGH = 0.35, 99.65
"""Percentiles shown as black and white."""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """256 counts (uint32) of equal width between `begin` and `end`; `low` and `high` are the percentiles 0.35 and
    99.65, `least` and `most` the smallest and the largest value."""

    counts: npt.NDArray[np.uint32]
    begin: float
    end: float
    low: float
    high: float
    least: float
    most: float


def histogram(image: npt.NDArray[Any]) -> Histogram:
    """Of all pixels and samples of an image of any type; values that are no numbers are left out."""
    if image.dtype.itemsize <= 2 and image.dtype.kind in "bu":
        return _of_counts(image.view(np.uint8) if image.dtype.kind == "b" else image)
    return _of_fractions(image.astype(np.float32, copy=False))


def _of_counts(image: npt.NDArray[Any]) -> Histogram:
    size = 1 << (8 * image.dtype.itemsize)
    flat = np.ascontiguousarray(image).reshape(-1, 1)
    each = cv2.calcHist([flat], [0], None, [size], [0, size]).ravel()
    there = np.flatnonzero(each)
    least, most = (int(there[0]), int(there[-1])) if len(there) else (0, 0)
    end = BINS
    while end <= most:
        end *= 2
    counts = each[:end].reshape(BINS, -1).sum(axis=1)
    summed = np.cumsum(each, dtype=np.float64)
    low, high = (float(np.searchsorted(summed, summed[-1] * p / 100)) for p in (LOW, HIGH))
    if high <= low:
        high = low + 1
    return Histogram(counts.astype(np.uint32), 0.0, float(end - 1), low, high, float(least), float(most))


def _of_fractions(image: npt.NDArray[np.float32]) -> Histogram:
    values = image.reshape(-1)
    if not np.isfinite(values).all():
        values = values[np.isfinite(values)]
    least, most = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    span = most - least if most > least else max(1.0, abs(least) * SMALLEST)
    bins = np.minimum((values - np.float64(least)) * (FINE / span), FINE - 1).astype(np.intp)
    each = np.bincount(bins, minlength=FINE)
    summed = np.cumsum(each)
    low = least + span * int(np.searchsorted(summed, values.size * LOW / 100)) / FINE
    high = least + span * min(int(np.searchsorted(summed, values.size * HIGH / 100)) + 1, FINE) / FINE
    end = least + span
    counts = each.reshape(BINS, -1).sum(axis=1).astype(np.uint32)
    return Histogram(counts, least, end, low, high, least, most)
