"""Scientific images for the eye: contrast, colours, the crop worth looking at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
LOW, HIGH = 0.5, 99.9
"""Percentiles that black and white are set to."""
BRIGHT, BELOW = 0.4, 0.2
"""Transmitted light: black is above this share of white, and the median above this share of the way between them."""


@dataclass(frozen=True, slots=True)
class Look:
    """How an image is shown: values of black and white, and whether it is dark with bright objects, or labels."""

    black: float
    white: float
    glow: bool
    labels: bool = False

    @classmethod
    def of(cls, image: Array, glow: bool | None = None) -> Look:
        """Chosen from the image itself (`glow` unless it is given); images of 32-bit whole numbers are labels."""
        if image.dtype.kind in "iu" and image.dtype.itemsize >= 4 and image.ndim == 2:
            return cls(0, 1, False, True)
        finite = image[np.isfinite(image)] if image.dtype.kind == "f" else image
        if finite.size == 0:
            return cls(0, 1, False)
        black, middle, white = (float(v) for v in np.percentile(finite, (LOW, 50, HIGH)))
        if white <= black:
            white = black + 1
        if glow is None:
            bright_field = black > BRIGHT * white and middle > black + BELOW * (white - black)
            glow = image.ndim == 2 and middle < black + 0.4 * (white - black) and not bright_field
        return cls(black, white, glow)

    @property
    def words(self) -> str:
        """The values of black and white, for the caption."""
        return "labels" if self.labels else f"shown from {self.black:,.4g} to {self.white:,.4g}"


def render(image: Array, look: Look, width: int, height: int) -> Array:
    """uint8 (height, width, 3) RGB of an image (y, x) or (y, x, samples) of any dtype.

    Enlarged pixels stay squares, so that nothing is shown that was not measured; shrunk ones are averaged.
    """
    if look.labels:
        rgb = _label_colours(image)
    else:
        values = (image.astype(np.float32) - look.black) * (255 / (look.white - look.black))
        grey = np.clip(np.nan_to_num(values, nan=0.0, posinf=255.0, neginf=0.0), 0, 255).astype(np.uint8)
        rgb = _colours(grey, look.glow)
    shrinks = rgb.shape[0] > height
    if look.labels or not shrinks:
        return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA))


def busiest(image: Array, side: int) -> tuple[int, int]:
    """Top left corner (y, x) of the square of `side` pixels with the strongest contrast inside."""
    grey = image.astype(np.float32)
    grey = np.nan_to_num(grey.mean(axis=2) if grey.ndim == 3 else grey)
    height, width = grey.shape
    calm = cv2.GaussianBlur(grey, (0, 0), 1.5)
    # Weighted towards the middle: a square with its objects at the rim shows half of each.
    reach = side / 5
    mean = cv2.GaussianBlur(calm, (0, 0), reach)
    contrast = cv2.GaussianBlur((calm - mean) ** 2, (0, 0), reach)
    half = side // 2
    inner = contrast[half : max(half + 1, height - side + half), half : max(half + 1, width - side + half)]
    y, x = np.unravel_index(int(np.argmax(inner)), inner.shape)
    return int(y), int(x)


def _colours(grey: Array, glow: bool) -> Array:
    if grey.ndim == 3:
        return np.ascontiguousarray(grey[..., :3]) if grey.shape[2] >= 3 else _colours(grey[..., 0], glow)
    if glow:
        return np.asarray(cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB))
    return np.repeat(grey[..., None], 3, axis=2)


def _label_colours(labels: Array) -> Array:
    """A colour per label, black for 0; neighbours in number are far apart in hue."""
    hue = (labels.astype(np.int64) * 67 % 180).astype(np.uint8)
    lit = np.where(labels != 0, 230, 0).astype(np.uint8)
    hsv = np.stack([hue, np.full_like(hue, 150), lit], axis=-1)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
