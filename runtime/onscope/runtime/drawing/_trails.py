"""Paths of objects on an image, each in a colour of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

SHIFT = 4
"""Bits of a pixel's part in which places are told."""
GOLDEN = 0.618033988749895
"""Hues a golden section apart: neighbours in number are told from each other."""


def trails(pixels: np.ndarray[Any, Any], paths: Sequence[np.ndarray[Any, Any]], radius: int) -> np.ndarray[Any, Any]:
    """The RGB image with a line along each path (n, 2) of (y, x) in its pixels, and a dot at its end."""
    shown = np.ascontiguousarray(pixels).copy()
    for number, path in enumerate(paths):
        hue = np.array([[[int(180 * (number * GOLDEN % 1)), 190, 255]]], np.uint8)
        colour = [int(part) for part in np.asarray(cv2.cvtColor(hue, cv2.COLOR_HSV2RGB))[0, 0]]
        points = np.rint(path[:, ::-1] * 2**SHIFT).astype(np.int32)
        cv2.polylines(shown, [points], False, colour, max(1, radius // 2), cv2.LINE_AA, SHIFT)
        end = (int(points[-1, 0]), int(points[-1, 1]))
        cv2.circle(shown, end, radius << SHIFT, colour, -1, cv2.LINE_AA, SHIFT)
    return shown
