"""Bacteria in phase contrast without a network: thresholds and watersheds, with all settings that are usual."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

Array = npt.NDArray[Any]
BLOCKS_PX = (21, 41, 81)
"""Sides of the neighbourhoods of local thresholds."""
APART_PX = (8, 16, 32)
"""How far apart seeds are at least."""
LEAST_PX = 40


def watersheds(frame: Array) -> dict[str, list[Array]]:
    """By name label images int32 (y, x) of a frame (y, x) for all settings.

    Otsu's threshold and local ones (mean of a neighbourhood), for what is bright and what is dark; parted by watersheds
    of the distance to the border, and of the image, whose bright lines between bacteria are ridges.
    """
    smooth = _smooth(frame)
    means = [cv2.blur(smooth, (side, side)) for side in BLOCKS_PX]
    local = [mask for mean in means for mask in (smooth > mean, smooth < mean)]
    return {
        "Otsu + watershed": otsu_watersheds(frame),
        "local threshold + watershed": [one for mask in local for one in _parted(mask, smooth)],
    }


def otsu_watersheds(frame: Array) -> list[Array]:
    """Of these those with Otsu's threshold."""
    smooth = _smooth(frame)
    level = threshold_otsu(smooth)  # type: ignore[no-untyped-call]
    return [one for mask in (smooth > level, smooth < level) for one in _parted(mask, smooth)]


def _smooth(frame: Array) -> Array:
    return cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 1.0)


def _parted(mask: Array, smooth: Array) -> list[Array]:
    opened = ndimage.binary_opening(mask, np.ones((3, 3)))
    far = cv2.distanceTransform(opened.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    found = []
    for apart in APART_PX:
        for depth in (-cv2.GaussianBlur(far, (0, 0), apart / 8), cv2.GaussianBlur(smooth, (0, 0), apart / 8)):
            lowest = (depth == cv2.erode(depth, np.ones((apart, apart), np.uint8))) & opened
            seeds = ndimage.label(lowest)[0]
            labels = watershed(depth, seeds, mask=opened)  # type: ignore[no-untyped-call]
            areas = np.bincount(labels.ravel())
            found.append(np.where(areas[labels] < LEAST_PX, 0, labels).astype(np.int32))
    return found
