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
    flat = np.ascontiguousarray(image).reshape(len(image), -1)
    size = max(1 << int(flat.max(initial=0)).bit_length(), BINS)  # most cameras use few of the 65,536 values
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
    each = _fine_counts(np.ascontiguousarray(values), least, span)
    summed = np.cumsum(each)
    low = least + span * int(np.searchsorted(summed, values.size * LOW / 100)) / FINE
    high = least + span * min(int(np.searchsorted(summed, values.size * HIGH / 100)) + 1, FINE) / FINE
    end = least + span
    counts = each.reshape(BINS, -1).sum(axis=1).astype(np.uint32)
    return Histogram(counts, least, end, low, high, least, most)


def _fine_counts(values: npt.NDArray[np.float32], least: float, span: float) -> npt.NDArray[np.int64]:
    """In FINE bins; values at the upper end, which OpenCV leaves out, are in the last one."""
    if not values.size:
        return np.zeros(FINE, np.int64)
    with np.errstate(over="ignore"):  # there is none beyond the largest number
        end = np.nextafter(np.float32(least + span), np.float32(np.inf))
    if not np.isfinite(end) or end <= np.float32(least):
        end = np.float32(least + span)
    each = cv2.calcHist([values.reshape(-1, 1)], [0], None, [FINE], [least, float(end)]).ravel().astype(np.int64)
    each[-1] += values.size - int(each.sum())
    return np.asarray(each)
