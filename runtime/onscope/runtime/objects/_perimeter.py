"""Lengths of objects' outlines, as scikit-image's `perimeter` estimates them.

Benkrid, Crookes, Design and FPGA Implementation of a Perimeter Estimator (Irish Machine Vision and Image Processing
Conference, 2000): each border pixel counts 1, the root of 2 or the mean of both, by how the outline passes through it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._runs import Runs

WEIGHTS = np.zeros(50)
"""By 1 + 2 for each border pixel beside + 10 for each across a corner."""
WEIGHTS[[5, 7, 15, 17, 25, 27]] = 1
WEIGHTS[[21, 33]] = np.sqrt(2)
WEIGHTS[[13, 23]] = (1 + np.sqrt(2)) / 2


def perimeters(runs: Runs, labels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """In label pixels, (n,). A border pixel has a pixel beside it that is not its object's, or lies at the border."""
    width = runs.shape[1] + 2  # an empty pixel all around
    padded = np.pad(labels, 1)
    border = np.zeros(padded.shape, np.bool_)
    differs = padded[1:] != padded[:-1]
    border[1:] |= differs
    border[:-1] |= differs
    flat = border.reshape(-1)
    flat[(runs.y + 1) * width + runs.x0 + 1] = True
    flat[(runs.y + 1) * width + runs.x1] = True
    border &= padded != 0
    places = np.flatnonzero(flat)
    rim = np.where(border, padded, 0).reshape(-1)
    own = rim[places]
    code = np.ones(len(places), np.intp)
    for weight, steps in ((2, (-1, 1, -width, width)), (10, (-width - 1, -width + 1, width - 1, width + 1))):
        for step in steps:
            code += weight * (rim[places + step] == own)
    objects = np.searchsorted(runs.labels, own)
    return np.bincount(objects, WEIGHTS[code], len(runs.labels)).astype(np.float64)
