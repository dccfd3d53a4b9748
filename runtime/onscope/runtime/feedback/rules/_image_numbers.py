"""Single numbers of images, each computed when it is asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from ..._frame import Pixels

PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?|100)")
SAMPLED = 1 << 16
"""Pixels of a float image that percentiles are taken of."""
IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


class ImageNumbers:
    """Of one image (y, x) or (y, x, samples): of all samples together, `sharpness` and `noise` of the second one."""

    def __init__(self, image: Pixels) -> None:
        self._image = image if image.dtype in (np.uint8, np.uint16, np.float32) else image.astype(np.float32)
        self._cumulated: tuple[npt.NDArray[np.float64], int] | None = None

    def number(self, name: str) -> float:
        """One of NUMBERS, or a percentile such as p99.5; NaN for an image without pixels."""
        if not self._image.size:
            return math.nan
        found = PERCENTILE.fullmatch(name)
        return self.percentile(float(found[1])) if found else NUMBERS[name](self)

    def percentile(self, share: float) -> float:
        """The smallest value that so many per cent of the pixels do not exceed; of float images from a part of them."""
        image = self._image
        if image.dtype == np.float32:
            flat = image.reshape(-1)
            some = flat[:: max(len(flat) // SAMPLED, 1)]
            at = min(max(math.ceil(share / 100 * len(some)) - 1, 0), len(some) - 1)
            return float(np.partition(some, at)[at])
        cumulated, lowest = self._counts()
        at = int(np.searchsorted(cumulated, max(share / 100 * cumulated[-1], 1) - 1e-6))
        return float(lowest + min(at, len(cumulated) - 1))

    def _counts(self) -> tuple[npt.NDArray[np.float64], int]:
        if self._cumulated is None:
            flat = self._image.reshape(-1, 1)
            low, high, _, _ = cv2.minMaxLoc(flat)
            bins = int(high) - int(low) + 1
            counts = cv2.calcHist([flat], [0], None, [bins], [int(low), int(high) + 1])
            self._cumulated = np.cumsum(counts.ravel(), dtype=np.float64), int(low)
        return self._cumulated

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        mean, deviation = cv2.meanStdDev(self._image.reshape(-1, 1))
        return float(mean[0, 0]), float(deviation[0, 0])

    def extremes(self) -> tuple[float, float]:
        """Smallest and largest value."""
        low, high, _, _ = cv2.minMaxLoc(self._image.reshape(-1, 1))
        return float(low), float(high)

    def saturated(self) -> float:
        """Share of the pixels that have the image's largest value."""
        return float(np.count_nonzero(self._image == self._image.max())) / self._image.size

    def plane(self) -> npt.NDArray[np.float32]:
        """One sample of each pixel."""
        plane = self._image if self._image.ndim == 2 else self._image[..., min(1, self._image.shape[2] - 1)]
        return np.ascontiguousarray(plane, np.float32)

    def sharpness(self) -> float:
        """Mean squared slope of the image at half its size, over its variance: per pixel squared, whatever offset and
        gain are. It falls out of focus; noise raises it."""
        plane = self.plane()
        if min(plane.shape) < 4:
            return math.nan
        half = cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA)
        _, deviation = cv2.meanStdDev(half)
        squares = sum(
            cv2.norm(cv2.Sobel(half, cv2.CV_32F, *way, ksize=3, scale=0.125)) ** 2 for way in ((1, 0), (0, 1))
        )
        variance = float(deviation[0, 0]) ** 2
        return squares / half.size / variance if variance > 0 else 0.0

    def noise(self) -> float:
        """Standard deviation of what changes from pixel to pixel (Immerkaer 1996); fine structure counts with it."""
        plane = self.plane()
        if min(plane.shape) < 3:
            return math.nan
        differences = cv2.filter2D(plane, cv2.CV_32F, IMMERKAER)[1:-1, 1:-1]
        return math.sqrt(math.pi / 2) / 6 * cv2.norm(differences, cv2.NORM_L1) / differences.size

    def signal(self) -> float:
        """How far the 99th percentile stands above the median."""
        return self.percentile(99.0) - self.percentile(50.0)

    def snr(self) -> float:
        """Signal over noise."""
        noise = self.noise()
        return self.signal() / noise if noise > 0 else math.nan


NUMBERS: Mapping[str, Callable[[ImageNumbers], float]] = {
    "mean": lambda image: image.moments()[0],
    "std": lambda image: image.moments()[1],
    "min": lambda image: image.extremes()[0],
    "max": lambda image: image.extremes()[1],
    "saturated": ImageNumbers.saturated,
    "sharpness": ImageNumbers.sharpness,
    "noise": ImageNumbers.noise,
    "signal": ImageNumbers.signal,
    "snr": ImageNumbers.snr,
}
"""Numbers of an image by name, beside percentiles (p50, p99.8)."""


def is_image_number(name: str) -> bool:
    """Whether there is such a number."""
    return name in NUMBERS or PERCENTILE.fullmatch(name) is not None
