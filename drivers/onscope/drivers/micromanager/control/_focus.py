"""Where a stack of images is sharpest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime import ControlError

FLAT = 0.02
"""A curve whose highest value is less than this part above its lowest says nothing."""
NOISES = 6.0
"""And so does one that rises by less than so many standard errors of a variance."""


def sharpness(pixels: npt.NDArray[Any]) -> float:
    """Normalised variance: that of the smoothed pixels (y, x) over the square of their mean.

    F. C. A. Groen, I. T. Young and G. Ligthart, A comparison of different focus functions for use in autofocus
    algorithms, Cytometry 6, 81-91 (1985); smoothed by 3 x 3 pixels, for noise has no focus.
    """
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    mean, deviation = cv2.meanStdDev(cv2.blur(grey.astype(np.float32, copy=False), (3, 3)))
    level = float(mean[0, 0])
    return float(deviation[0, 0] ** 2 / level**2) if level > 0 else 0.0


def best_focus(z_um: Sequence[float], sharp: Sequence[float], pixels: int) -> float:
    """The top of a parabola through the three sharpest planes that follow each other, in um.

    `sharp` are normalised variances of images with so many `pixels`. Raises ControlError where the curve is flat, or
    highest at its end: the focus lies elsewhere then.
    """
    low, high = min(sharp), max(sharp)
    least = max(FLAT, NOISES * (2 * 9 / max(pixels, 1)) ** 0.5)
    if len(z_um) < 3 or not high > 0 or high - low < least * high:
        raise ControlError(
            f"found a flat focus curve ({low:.3g} to {high:.3g} over {len(z_um)} planes), expected one plane to be "
            "sharper than the others: light it better, or search a wider range"
        )
    top = int(np.argmax(sharp))
    if top in (0, len(sharp) - 1):
        raise ControlError(
            f"found the sharpest plane at the end of the range ({z_um[top]:g} um), expected it inside: search a wider "
            "range, or around another plane"
        )
    left, middle, right = sharp[top - 1], sharp[top], sharp[top + 1]
    bend = left - 2 * middle + right
    offset = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return float(z_um[top] + offset * (z_um[top + 1] - z_um[top]))
