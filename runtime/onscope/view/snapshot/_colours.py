"""Values from black to white as colours of a map, and labels as colours of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Points = tuple[tuple[int, int, int], ...]
_BLACK = (0, 0, 0)
_POINTS: Mapping[str, Points] = {
    "grey": (_BLACK, (255, 255, 255)),
    "green": (_BLACK, (0, 255, 0)),
    "magenta": (_BLACK, (255, 0, 255)),
    "cyan": (_BLACK, (0, 255, 255)),
    "yellow": (_BLACK, (255, 230, 0)),
    "inferno": (
        (0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85), (227, 89, 51), (249, 140, 10),
        (249, 201, 50), (252, 255, 164),
    ),
    "fire": (
        _BLACK, (32, 0, 110), (120, 0, 140), (200, 20, 70), (245, 90, 0), (255, 165, 0), (255, 225, 60),
        (255, 255, 255),
    ),
    "viridis": (
        (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129), (92, 200, 99),
        (170, 220, 50), (253, 231, 37),
    ),
    "grey inverted": ((255, 255, 255), _BLACK),
}  # fmt: skip
"""Red, green and blue at even steps from black to white, linear between them: as the page has them."""
COLOURS = tuple(_POINTS)
"""Names of the maps; a viewer that asks for another gets grey."""


def coloured(picture: Array, colours: str, low: float, high: float, labels: bool = False, gamma: float = 1.0) -> Array:
    """A picture of an update (see docs/view-inside.md) as uint8 (rows, columns, 3) RGB.

    8 bits are between black and white already; of 16 bits `low` and `high` are. `gamma`: shares of white to this power.
    """
    if labels:
        return _labelled(picture)
    grey = picture
    if picture.dtype != np.uint8:
        values = (picture.astype(np.float32) - low) * (255.0 / max(high - low, 1e-9))
        grey = np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8)
    if grey.ndim == 3:
        return np.ascontiguousarray(grey[..., :3])
    return np.asarray(_table(colours, gamma)[grey])


@lru_cache(64)
def _table(colours: str, gamma: float) -> Array:
    points = np.array(_POINTS.get(colours, _POINTS["grey"]), np.float64)
    at = np.linspace(0, 1, 256) ** gamma * (len(points) - 1)
    columns = [np.interp(at, np.arange(len(points)), points[:, sample]) for sample in range(3)]
    return np.asarray(np.rint(np.stack(columns, axis=1)).astype(np.uint8))


def _labelled(labels: Array) -> Array:
    """Black for 0; neighbours in number are far apart in hue."""
    hue = (labels.astype(np.int64) * 67 % 180).astype(np.uint8)
    hsv = np.stack([hue, np.full_like(hue, 150), np.where(labels != 0, 230, 0).astype(np.uint8)], axis=-1)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
