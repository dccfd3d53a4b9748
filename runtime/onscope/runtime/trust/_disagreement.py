"""Two answers to one frame that should be the same."""

from __future__ import annotations

import cv2
import numpy as np

from ._patches import Float


def disagreement(raw: Float, answer: Float, other: Float) -> float:
    """Root mean square of the difference of two answers over that of what the network changes, raw - answer.

    Patches on one grid (`Patches.of`). `other` is the answer of a variant in fewer bits, or to the flipped frame,
    flipped back: a network without preferred directions gives the same (equivariance: D. Chen, J. Tachella, M. Davies,
    "Equivariant imaging", ICCV 2021). The scale is that of decision 11: 0.05 is what a variant may have. NaN where the
    network changes nothing.
    """
    change = cv2.norm(raw, answer, cv2.NORM_L2)
    return float(cv2.norm(answer, other, cv2.NORM_L2) / change) if change > 0 else float(np.nan)
