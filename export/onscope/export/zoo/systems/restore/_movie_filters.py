"""What needs no network in a movie: filters in space and time at their best, and how fast changes are followed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from ..._metrics import psnr

Array = npt.NDArray[Any]
SIGMAS = tuple(np.arange(0.5, 4.01, 0.5))
LENGTHS = (1, 2, 3, 4, 6, 8)
SUDDEN = 0.25
"""Share of the span of the truth that a pixel changes by when its change is sudden."""
LEAST = 30
"""Pixels. With fewer sudden changes a movie tells nothing about them."""


def best_filters(counts: Array, truth: Array, first: int) -> dict[str, Array]:
    """Frames `first` and later of (t, y, x), float32: filtered in space, over the last frames, and by both.

    Each has the parameters with the best mean PSNR over these frames; none looks at later frames.
    """
    blurred = {0.0: counts.astype(np.float32)}
    blurred |= {sigma: gaussian_filter(blurred[0.0], (0, sigma, sigma)) for sigma in SIGMAS}
    all_of_them = {
        (sigma, length): _mean_of_last(movie, length, first) for sigma, movie in blurred.items() for length in LENGTHS
    }
    aim = truth[first:]
    quality = {
        which: float(np.mean([psnr(*pair) for pair in zip(movie, aim, strict=True)]))
        for which, movie in all_of_them.items()
    }
    chosen = {
        "Gaussian": [which for which in quality if which[1] == 1 and which[0]],
        "mean of frames": [which for which in quality if which[1] > 1 and not which[0]],
        "mean of frames, blurred": [which for which in quality if which[1] > 1 and which[0]],
    }
    return {name: all_of_them[max(ones, key=quality.__getitem__)] for name, ones in chosen.items()}


def changed(before: Array, truth: Array) -> npt.NDArray[np.bool_]:
    """Which pixels (t, y, x) changed suddenly; none where they are fewer than `LEAST`."""
    found = np.abs(truth - before) > SUDDEN * float(truth.max() - truth.min())
    return np.asarray(found if found.sum() >= LEAST else np.zeros_like(found))


def followed(images: Array, before: Array, truth: Array, sudden: npt.NDArray[np.bool_]) -> float:
    """The share of the sudden changes that the images show at once: the slope of their change on the true one."""
    true = (truth - before)[sudden].astype(np.float64)
    return float(np.sum((images - before)[sudden] * true) / np.sum(true**2))


def _mean_of_last(movie: Array, length: int, first: int) -> Array:
    return np.stack([movie[n - length + 1 : n + 1].mean(axis=0) for n in range(first, len(movie))])
