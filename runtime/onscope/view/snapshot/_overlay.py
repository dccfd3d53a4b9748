"""Vectors of an update, drawn over a picture of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime.drawing import ACCENT, WARM, trails

Array = npt.NDArray[Any]
SHIFT = 4
"""Bits of a pixel's part in which places are told."""
MIDDLE = 0.5
"""From the edge of a pixel, which places in an update count from, to its middle, which those of a picture do."""


def overlaid(picture: Array, rect: Sequence[float], vectors: Mapping[str, Any], arrays: Sequence[Array]) -> Array:
    """The RGB picture (rows, columns, 3) of the part `rect` with one entry of an update's `vectors` drawn over it."""
    points = np.asarray(arrays[vectors["points"]["array"]], np.float64)
    y0, x0, y1, x1 = rect
    sides = picture.shape[0] / (y1 - y0), picture.shape[1] / (x1 - x0)
    shown = np.ascontiguousarray(picture).copy()
    kind = vectors["kind"]
    if kind == "boxes":
        corners = points.reshape(-1, 2, 2)
        for place in _placed(corners, (y0, x0), sides):
            cv2.rectangle(shown, tuple(place[0]), tuple(place[1]), ACCENT, 1, cv2.LINE_AA, SHIFT)
    elif kind == "spots":
        radius = round(max(3.0, 2.0 * sides[0]) * 2**SHIFT)
        for place in _placed(points.reshape(-1, 2), (y0, x0), sides):
            cv2.circle(shown, tuple(place), radius, WARM, 1, cv2.LINE_AA, SHIFT)
    else:
        starts = np.asarray(arrays[vectors["starts"]["array"]], np.int64)
        paths = [points[begin:end] for begin, end in pairwise(starts.tolist()) if end > begin]
        if kind == "tails":
            moved = [(path - (y0, x0)) * sides - MIDDLE for path in paths]
            return trails(shown, moved, 2)
        rings = [_placed(path, (y0, x0), sides) for path in paths]
        cv2.polylines(shown, rings, True, ACCENT, 1, cv2.LINE_AA, SHIFT)
    return shown


def _placed(points: Array, origin: tuple[float, float], sides: tuple[float, float]) -> npt.NDArray[np.int32]:
    """Raw places (..., 2) of y, x as x, y on the picture, in parts of a pixel."""
    moved = (points - origin) * sides - MIDDLE
    near = np.clip(np.rint(moved[..., ::-1] * 2**SHIFT), -(1 << 24), 1 << 24)
    return np.asarray(near.astype(np.int32))
