"""Pictures for viewers: cut out, made smaller, and brought to eight bits or left at sixteen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .._values import Bits, Rect
from ._histogram import Histogram

Array = npt.NDArray[Any]
WHITE_16 = 65_535
SAMPLES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """`pixels` uint8 or uint16 (rows, columns) or (rows, columns, 3); `rect` what they show, in raw pixels; of sixteen
    bits, `values` are those that 0 and 65535 stand for."""

    pixels: Array
    rect: Rect
    low: float
    high: float
    values: tuple[float, float] | None = None


def flat(image: Array) -> Array:
    """(y, x), or (y, x, 3) of colours; of other channels the first."""
    return image if image.ndim == 2 or (image.ndim == 3 and image.shape[2] == SAMPLES) else image[..., 0]


def part(shape: tuple[int, ...], raw: tuple[int, int], rect: Rect | None) -> tuple[slice, slice, Rect]:
    """Rows and columns of an image of `shape` that show `rect` of a raw frame, and what they show, in raw pixels: whole
    pixels of the image, at least one."""
    slices, edges = [], []
    for axis in (0, 1):
        size, per_raw = shape[axis], shape[axis] / raw[axis]
        begin, end = (0, raw[axis]) if rect is None else (rect[axis], rect[axis + 2])
        first = min(max(math.floor(begin * per_raw + 1e-9), 0), size - 1)
        last = min(max(math.ceil(end * per_raw - 1e-9), first + 1), size)
        slices.append(slice(first, last))
        edges.append((first / per_raw, last / per_raw))
    return slices[0], slices[1], (edges[0][0], edges[1][0], edges[0][1], edges[1][1])


def smaller(image: Array, size: tuple[int, int], *, labels: bool) -> Array:
    """At most `size` (rows, columns), in its own proportions, never larger: averaged, or one of them where the values
    are names."""
    rows, columns = image.shape[:2]
    factor = min(size[0] / rows, size[1] / columns, 1.0)
    if factor == 1.0:
        return image
    to = max(1, round(rows * factor)), max(1, round(columns * factor))
    if labels:
        picked = [((np.arange(n) + 0.5) * of / n).astype(np.intp) for n, of in zip(to, (rows, columns), strict=True)]
        return np.asarray(image[picked[0][:, None], picked[1]])
    return np.asarray(cv2.resize(np.ascontiguousarray(image), (to[1], to[0]), interpolation=cv2.INTER_AREA))


def picture(
    image: Array,
    raw: tuple[int, int],
    rect: Rect | None,
    size: tuple[int, int],
    bits: Bits,
    limits: tuple[float | None, float | None],
    spread: Histogram,
    *,
    labels: bool,
) -> Picture:
    """`limits`: values that are black and white (None: as the image's values are spread)."""
    image = flat(image)
    rows, columns, shows = part(image.shape, raw, rect)
    cut = image[rows, columns]
    if cut.dtype not in (np.uint8, np.uint16, np.float32) and not labels:
        cut = cut.astype(np.float32)
    cut = smaller(cut, size, labels=labels)
    low = spread.low if limits[0] is None else limits[0]
    high = spread.high if limits[1] is None else limits[1]
    if labels:
        return Picture(_named(cut, 255 if bits == 8 else WHITE_16), shows, low, high, _whole_range(bits))
    if bits == 8:
        return Picture(stretched(cut, low, high, 255, np.uint8), shows, low, high)
    if counts(image, spread):
        if cut.dtype.kind == "f":
            cut = np.rint(np.nan_to_num(cut))
        return Picture(cut.astype(np.uint16), shows, low, high, _whole_range(bits))
    between = spread.begin, spread.end
    return Picture(stretched(cut, *between, WHITE_16, np.uint16), shows, low, high, between)


def counts(image: Array, spread: Histogram) -> bool:
    """Whether rounding an image's values to uint16 leaves what they say: camera counts, also as fractions."""
    if image.dtype.kind in "bu" and image.dtype.itemsize <= 2:
        return True
    return spread.least >= 0 and spread.most <= WHITE_16 and spread.most - spread.least >= 256


def stretched(image: Array, low: float, high: float, white: int, dtype: Any) -> Array:
    """Values between `low` and `high` as 0 to `white`; what is no number is 0."""
    span = max(high - low, 1e-12)
    if dtype is np.uint8 and image.dtype in (np.uint8, np.uint16, np.float32):
        return _stretched_to_bytes(image, low, span)
    values = (image.astype(np.float32) - np.float32(low)) * np.float32(white / span)
    return np.asarray(np.rint(np.clip(np.nan_to_num(values, nan=0.0, posinf=white, neginf=0.0), 0, white)), dtype)


def _stretched_to_bytes(image: Array, low: float, span: float) -> Array:
    """The same for 255 by OpenCV, which rounds by itself: in a quarter of the time."""
    above = np.subtract(image, np.float32(low), dtype=np.float32)
    np.clip(above, 0, np.float32(span), out=above)  # OpenCV takes what does not fit into an int32 for 0
    return np.asarray(cv2.convertScaleAbs(above, alpha=255 / span))


def _named(labels: Array, most: int) -> Array:
    wide = labels.astype(np.int64)
    return np.where(wide > 0, (wide - 1) % most + 1, 0).astype(np.uint8 if most < 256 else np.uint16)


def _whole_range(bits: Bits) -> tuple[float, float] | None:
    return (0.0, float(WHITE_16)) if bits == 16 else None
