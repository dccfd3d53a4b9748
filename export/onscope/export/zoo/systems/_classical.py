"""What needs no network: filters at the parameter that suits each frame best, the truth known; SSIM."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import convolve, gaussian_filter, median_filter
from skimage.metrics import structural_similarity
from skimage.restoration import denoise_nl_means

from .._metrics import psnr

Array = npt.NDArray[Any]


def noise_of(pixels: Array) -> float:
    """Standard deviation of the noise of an image (y, x) (J. Immerkaer, Comput. Vis. Image Underst. 64, 300 (1996))."""
    found = convolve(pixels.astype(np.float64), np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64))
    return float(np.median(np.abs(found)) / 0.6745 / 6)


def ssim(image: Array, truth: Array) -> float:
    """Structural similarity over the span of the truth (Z. Wang et al., IEEE Trans. Image Process. 13, 600 (2004))."""
    span = float(truth.max() - truth.min()) or 1.0
    found = structural_similarity(  # type: ignore[no-untyped-call]
        truth.astype(np.float64), image.astype(np.float64), data_range=span
    )
    return float(found)


def best_filters(frame: Array, truth: Array) -> dict[str, Array]:
    """The Gaussian, the median and the non-local means of a frame (y, x) with the best PSNR.

    Non-local means: A. Buades, B. Coll, J.-M. Morel, CVPR 2005.
    """
    pixels = frame.astype(np.float32)
    noise = noise_of(pixels)
    candidates = {
        "Gaussian": [gaussian_filter(pixels, sigma) for sigma in np.arange(0.5, 4.01, 0.25)],
        "median": [median_filter(pixels, size) for size in (3, 5, 7, 9)],
        "non-local means": [
            denoise_nl_means(pixels, patch_size=5, patch_distance=6, h=h * noise, sigma=noise, fast_mode=True)
            for h in (0.4, 0.6, 0.8, 1.2)
        ],
    }
    return {name: max(images, key=lambda image: psnr(image, truth)) for name, images in candidates.items()}
