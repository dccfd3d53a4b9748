"""Where images of a stack are sharpest: by what is left of them after a blur of the noise and a step of a pixel."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt


def sharpness(image: npt.NDArray[np.generic]) -> float:
    """How much neighbouring pixels differ, relative to the image's mean: larger is sharper.

    `image` (y, x; any number type); the Gaussian of 1 pixel before keeps noise from looking sharp.
    """
    smooth = cv2.GaussianBlur(np.asarray(image, np.float32), (0, 0), 1.0)
    laplacian = cv2.Laplacian(smooth, cv2.CV_32F)
    return float(laplacian.var()) / max(float(smooth.mean()), 1e-6) ** 2


def sharpest(scores: Sequence[tuple[float, float]]) -> float:
    """z in um of the highest of (z, sharpness), between planes by the parabola through it and its neighbours."""
    ordered = sorted(scores)
    best = max(range(len(ordered)), key=lambda k: ordered[k][1])
    if 0 < best < len(ordered) - 1:
        (_, below), (z, at), (above_z, above) = ordered[best - 1 : best + 2]
        bend = below - 2 * at + above
        if bend < 0:
            return z + 0.5 * (above_z - z) * (below - above) / bend
    return ordered[best][0]
