"""What needs no network: numbers that describe the intensities of a frame, and a support vector machine on them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PERCENTILES = (1.0, 99.8)
"""Of a frame that become 0 and 1 before it is classified."""
LEVELS = (5, 25, 50, 75, 90, 95, 99)
WIDTHS = (1.0, 2.0, 4.0, 8.0)
"""Pixels of the Gaussians whose differences tell how much varies at which scale."""
FOLDS = 5


def normalised(counts: Array) -> npt.NDArray[np.float32]:
    """Counts (y, x) in units of the span between their percentiles."""
    low, high = np.percentile(counts, PERCENTILES)
    return np.asarray((counts - low) / (high - low + 1e-6), np.float32)


def described(counts: Array) -> npt.NDArray[np.float64]:
    """A frame (y, x) in 17 numbers: moments, percentiles, entropy of its histogram, variation at four scales."""
    frame = normalised(counts)
    middle, spread = float(frame.mean()), float(frame.std()) + 1e-6
    standard = (frame - middle) / spread
    shares = np.histogram(frame, 32, (-0.5, 1.5))[0] / frame.size
    smooth = [frame, *(cv2.GaussianBlur(frame, (0, 0), width) for width in WIDTHS)]
    scales = [float((fine - coarse).std()) for fine, coarse in pairwise(smooth)]
    entropy = float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
    moments = [middle, spread, float((standard**3).mean()), float(np.log((standard**4).mean() + 1e-12)), entropy]
    return np.array([*moments, *np.percentile(frame, LEVELS), *scales, scales[0] / (sum(scales) + 1e-6)])


class SupportVectors:
    """A least-squares support vector machine with Gaussian kernels, one class against the others.

    J. A. K. Suykens, J. Vandewalle, Neural Processing Letters 9, 293 (1999), doi:10.1023/A:1018628609742: of the usual
    machine it has the kernel and the margin, but squares of the slacks, which makes of the optimisation a linear
    system. Width of the kernel and price of the slacks are those with the fewest errors in `FOLDS` parts of the
    training, each judged by the others.
    """

    def __init__(self, features: Array, names: Sequence[int], classes: int) -> None:
        self._middle, self._spread = features.mean(axis=0), features.std(axis=0) + 1e-9
        known = self._scaled(features)
        wanted = np.where(np.asarray(names)[:, None] == np.arange(classes), 1.0, -1.0)
        part = np.arange(len(known)) % FOLDS
        tried = [(width, price) for width in (0.5, 1.0, 2.0, 4.0) for price in (0.1, 1.0, 10.0, 100.0)]
        self.width, self.price = min(tried, key=lambda one: self._errors(known, wanted, part, *one))
        self._known = known
        self._told, self._offset = _solved(known, wanted, self.width, self.price)

    def __call__(self, features: Array) -> npt.NDArray[np.int64]:
        """The numbers of the classes (n,) of features (n, m)."""
        scores = _kernel(self._scaled(features), self._known, self.width) @ self._told + self._offset
        return np.asarray(scores.argmax(axis=1))

    def _scaled(self, features: Array) -> Array:
        return np.asarray((features - self._middle) / self._spread)

    @staticmethod
    def _errors(known: Array, wanted: Array, part: Array, width: float, price: float) -> int:
        wrong = 0
        for fold in range(FOLDS):
            held = part == fold
            told, offset = _solved(known[~held], wanted[~held], width, price)
            scores = _kernel(known[held], known[~held], width) @ told + offset
            wrong += int((scores.argmax(axis=1) != wanted[held].argmax(axis=1)).sum())
        return wrong


def _solved(known: Array, wanted: Array, width: float, price: float) -> tuple[Array, Array]:
    """Weights (n, classes) and offsets (classes,) of the linear system."""
    count = len(known)
    system = np.zeros((count + 1, count + 1))
    system[0, 1:] = system[1:, 0] = 1
    system[1:, 1:] = _kernel(known, known, width) + np.eye(count) / price
    found = np.linalg.solve(system, np.vstack([np.zeros((1, wanted.shape[1])), wanted]))
    return found[1:], found[0]


def _kernel(a: Array, b: Array, width: float) -> Array:
    """Gaussian of the distance between rows, `width` in units of the root of the number of features."""
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.exp(-np.maximum(squares, 0) / (2 * a.shape[1] * width**2)))
