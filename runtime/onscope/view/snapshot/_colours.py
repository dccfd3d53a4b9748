"""Values from black to white as colours of a map, and labels as colours of their own."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
COLOURS = ("grey", "inferno", "viridis", "green", "magenta", "cyan")
"""Names of the maps; a viewer that asks for another gets grey."""
_DYES = {"green": (0, 1, 0), "magenta": (1, 0, 1), "cyan": (0, 1, 1)}


def coloured(picture: Array, colours: str, low: float, high: float, labels: bool = False) -> Array:
    """A picture of an update (see docs/view-inside.md) as uint8 (rows, columns, 3) RGB.

    8 bits are between black and white already; of 16 bits `low` and `high` are.
    """
    if labels:
        return _labelled(picture)
    grey = picture
    if picture.dtype != np.uint8:
        values = (picture.astype(np.float32) - low) * (255.0 / max(high - low, 1e-9))
        grey = np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8)
    if grey.ndim == 3:
        return np.ascontiguousarray(grey[..., :3])
    return np.asarray(_table(colours)[grey])


@cache
def _table(colours: str) -> Array:
    ramp = np.arange(256, dtype=np.uint8)
    if colours in ("inferno", "viridis"):
        kind = cv2.COLORMAP_INFERNO if colours == "inferno" else cv2.COLORMAP_VIRIDIS
        return np.ascontiguousarray(cv2.applyColorMap(ramp[:, None], kind)[:, 0, ::-1])
    return np.asarray(ramp[:, None] * np.array(_DYES.get(colours, (1, 1, 1)), np.uint8))


def _labelled(labels: Array) -> Array:
    """Black for 0; neighbours in number are far apart in hue."""
    hue = (labels.astype(np.int64) * 67 % 180).astype(np.uint8)
    hsv = np.stack([hue, np.full_like(hue, 150), np.where(labels != 0, 230, 0).astype(np.uint8)], axis=-1)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
