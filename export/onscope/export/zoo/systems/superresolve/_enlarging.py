"""Enlarging frames without a network: bicubic interpolation, and deconvolution onto pixels of half the size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from ..._metrics import psnr
from ._fine import SCALE, coarse

Array = npt.NDArray[Any]
SMOOTHINGS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3)
"""Widths (sigma) in coarse pixels."""
WIDTHS = (0.0, 0.5, 0.8, 1.2, 1.8)
"""Widths (sigma) of the deconvolution's point-spread function in fine pixels."""
ROUNDS = (1, 2, 4, 8, 16, 32, 64)
"""Iterations of the deconvolution."""


def bicubic(frame: Array) -> Array:
    """(y, x) to float32 (2y, 2x) by Keys' cubic kernel with a = -0.75, as inside the networks' graphs."""
    rows, columns = frame.shape
    size = (SCALE * columns, SCALE * rows)
    return np.asarray(cv2.resize(frame.astype(np.float32), size, interpolation=cv2.INTER_CUBIC))


def richardson_lucy(frame: Array, sigma: float, background: float) -> Iterator[tuple[int, Array]]:
    """After each of `ROUNDS` iterations, the estimate on fine pixels (2y, 2x), which starts as even.

    W. H. Richardson, J. Opt. Soc. Am. 62, 55 (1972), and L. B. Lucy, Astron. J. 79, 745 (1974), with what happens
    between: a Gaussian of `sigma` fine pixels, then the mean over 2x2 pixels. `background` (counts) is taken off
    before, and added again.
    """
    signal = np.maximum(frame.astype(np.float32) - background, 0)
    estimate = np.full((SCALE * frame.shape[0], SCALE * frame.shape[1]), max(float(signal.mean()), 1e-3), np.float32)
    for done in range(1, ROUNDS[-1] + 1):
        ratio = signal / np.maximum(coarse(_blurred(estimate, sigma)), 1e-3)
        estimate = estimate * _blurred(np.kron(ratio, np.ones((SCALE, SCALE), np.float32)), sigma)
        if done in ROUNDS:
            yield done, estimate + background


def best_enlargements(frame: Array, truth: Array, fit: bool = False) -> dict[str, Array]:
    """Bicubic interpolation, the same of the Gaussian-filtered frame, and Richardson-Lucy, by name, (2y, 2x) each.

    Parameters are those with the best PSNR; of the deconvolution these are its width, its iterations, whether the
    estimate is blurred again by the width, and the background: the truth's least value, or the frame's when images are
    `fit`, that is brought to the truth's brightness by least squares.
    """
    match = fitted if fit else _as_it_is
    smooth = [bicubic(gaussian_filter(frame.astype(np.float32), sigma)) for sigma in SMOOTHINGS]
    back = float(np.percentile(frame, 0.5) if fit else truth.min())
    sharp = [(sigma, image) for sigma in WIDTHS for _, image in richardson_lucy(frame, sigma, back)]
    sharp += [(0.0, _blurred(image, sigma)) for sigma, image in sharp if sigma]
    candidates = {
        "bicubic": smooth[:1],
        "Gaussian, then bicubic": smooth,
        "Richardson-Lucy": [image for _, image in sharp],
    }
    return {
        name: max((match(image, truth) for image in images), key=lambda image: psnr(image, truth))
        for name, images in candidates.items()
    }


def correlation(image: Array, truth: Array) -> float:
    """Pearson's r of the pixels: whatever the image's brightness and background."""
    return float(np.corrcoef(image.ravel(), truth.ravel())[0, 1])


def _as_it_is(image: Array, truth: Array) -> Array:
    return image


def fitted(image: Array, truth: Array) -> Array:
    """A multiple of the image and a constant, as near to the truth as can be."""
    slope, offset = np.polyfit(image.ravel().astype(np.float64), truth.ravel().astype(np.float64), 1)
    return np.asarray(slope * image + offset, np.float32)


def _blurred(image: Array, sigma: float) -> Array:
    return np.asarray(gaussian_filter(image, sigma, mode="nearest")) if sigma else image
