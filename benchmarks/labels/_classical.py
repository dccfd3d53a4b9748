"""What is usual without a network: Otsu's threshold and a watershed, a Laplacian of Gaussians."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]
WIDTHS_PX = (8.0, 16.0, 32.0, 64.0)
"""How far apart the middles of nuclei are at least."""
SIGMAS_PX = (0.8, 1.1, 1.5, 2.0, 2.8)
STRENGTHS = np.geomspace(2.5, 40, 15)
"""Thresholds of the Laplacian, in units of the noise of its image."""


def watersheds(frame: Array) -> Iterator[Labels]:
    """Otsu's threshold, of the smoothed frame and of its logarithm, which dim nuclei need; parted at the necks by a
    watershed of the distance to the border, for each of `WIDTHS_PX`. Holes are filled, pieces of less than 12 pixels
    left out."""
    from skimage.filters import threshold_otsu
    from skimage.segmentation import watershed

    smooth = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 1.5)
    floor = float(np.percentile(smooth, 1))
    for seen in (smooth, np.log(np.maximum(smooth - floor, 0) + max(np.sqrt(floor), 1.0))):
        if seen.max() == seen.min():
            yield np.zeros(frame.shape, np.int32)
            continue
        mask = ndimage.binary_fill_holes(seen > threshold_otsu(seen))  # type: ignore[no-untyped-call]
        far = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for width in WIDTHS_PX:
            inside = cv2.GaussianBlur(far, (0, 0), width / 8)
            tops = (inside == cv2.dilate(inside, np.ones((round(width), round(width)), np.uint8))) & mask
            parted = watershed(-inside, ndimage.label(tops)[0], mask=mask)  # type: ignore[no-untyped-call]
            areas = np.bincount(parted.ravel())
            yield np.where(areas[parted] < 12, 0, parted).astype(np.int32)


def laplacians(frame: Array) -> Iterator[tuple[tuple[float, float], Array]]:
    """((width, strength), spots (n, 2) y and x) of minima of the Laplacian of Gaussians, refined by a parabola.

    For each of `SIGMAS_PX` and `STRENGTHS`; the noise is 1.4826 times the median absolute deviation.
    """
    image = frame.astype(np.float32)
    for sigma in SIGMAS_PX:
        answer = -np.asarray(ndimage.gaussian_laplace(image, sigma), np.float32)
        noise = 1.4826 * float(np.median(np.abs(answer - np.median(answer)))) or 1.0
        tops = (answer == cv2.dilate(answer, np.ones((3, 3), np.uint8))) & (answer > STRENGTHS[0] * noise)
        places = np.argwhere(tops)
        heights = answer[tops] / noise
        exact = refined(answer, places)
        for strength in STRENGTHS:
            yield (sigma, float(strength)), exact[heights > strength]


def refined(image: Array, places: Array) -> Array:
    """Maxima (n, 2) of an image to parts of a pixel, by the parabola through three pixels along each axis."""
    y, x = places.T
    padded = np.pad(image, 1, mode="edge")
    middle = padded[y + 1, x + 1]
    exact = places.astype(np.float64)
    for axis, (low, high) in enumerate(
        ((padded[y, x + 1], padded[y + 2, x + 1]), (padded[y + 1, x], padded[y + 1, x + 2]))
    ):
        bend = low - 2 * middle + high
        exact[:, axis] += np.clip(np.divide(low - high, 2 * bend, out=np.zeros_like(bend), where=bend < 0), -0.5, 0.5)
    return exact
