"""What Cellpose is to answer: at each pixel of an object the direction in which heat from its middle rises.

C. Stringer, T. Wang, M. Michaelos, M. Pachitariu, Nature Methods 18, 100 (2021), doi:10.1038/s41592-020-01018-x.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects

Array = npt.NDArray[Any]


def flows(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """Unit flow along y and x, float32 (2, rows, columns), of the objects of a label image; 0 in the background.

    Of each object heat enters at the pixel next to its pixels' median place and spreads to the mean of each pixel's 3x3
    neighbourhood, of which pixels of others are cold, twice as many times as its box has rows and columns together.
    """
    out = np.zeros((2, *labels.shape), np.float32)
    for number, box in enumerate(find_objects(labels), start=1):
        if box is not None:
            mask = labels[box] == number
            out[(slice(None), *box)][:, mask] = _rise(mask)
    return out


def _rise(mask: Array) -> Array:
    """Of one object (rows, columns) the direction at each of its pixels, (2, n)."""
    inside = np.pad(mask, 1).astype(np.float32)
    y, x = np.nonzero(inside)
    nearest = np.argmin((y - np.median(y)) ** 2 + (x - np.median(x)) ** 2)
    heat, spread = np.zeros_like(inside), np.zeros_like(inside)
    for _ in range(2 * sum(mask.shape)):
        heat[y[nearest], x[nearest]] += 1
        cv2.blur(heat, (3, 3), dst=spread, borderType=cv2.BORDER_CONSTANT)
        np.multiply(spread, inside, out=heat)
    rise = np.stack((heat[y + 1, x] - heat[y - 1, x], heat[y, x + 1] - heat[y, x - 1])).astype(np.float64)
    return np.asarray(rise / (np.hypot(*rise) + 1e-20))
