"""The resolution-scaled error map: a restored image that is blurred back must give the raw one.

S. Culley et al., "Quantitative mapping and minimization of super-resolution optical imaging artifacts", Nature Methods
15, 263 (2018), NanoJ-SQUIRREL: the restored image S becomes (a S + b) convolved with a Gaussian, a, b and its width are
those with the least squared difference to the raw image D; the map is what is left of the difference, RSE its root mean
square, RSP Pearson's correlation of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ._patches import Float, area, halved
from ._residual import fitted

Image = npt.NDArray[Any]
BLOCK = 8
"""Side in raw pixels of what the live numbers and `error_map` look at: as a mean over 8 x 8 pixels noise is 8 times
smaller, and no blur of a microscope reaches far beyond it."""
WIDEST_PX = 6.0
ROUNDS = 24
GOLDEN = (np.sqrt(5.0) - 1) / 2


@dataclass(frozen=True, slots=True, eq=False)
class ErrorMap:
    """`map` is raw - (slope * restored + offset), float32: above 0 where light is missing in the answer, below where
    it was put in. `rse` is its root mean square in counts, `rsp` the correlation of raw and restored image; `sigma_px`
    is the Gaussian that the restored image was blurred with, in raw pixels."""

    map: Float
    rse: float
    rsp: float
    slope: float
    offset: float
    sigma_px: float = 0.0


def error_map(raw: Image, restored: Image, block: int = BLOCK) -> ErrorMap:
    """The map of means over `block` x `block` raw pixels, (y // block, x // block); rows and columns left over are cut.

    The mean over a block takes the place of the point spread function. Raises ValueError unless the answer has a whole
    multiple of the frame's pixels, and the frame one block at least.
    """
    tall, wide = raw.shape[0] // block, raw.shape[1] // block
    times = restored.shape[0] // raw.shape[0]
    if raw.ndim != 2 or restored.shape != (times * raw.shape[0], times * raw.shape[1]) or min(tall, wide, times) < 1:
        raise ValueError(f"found images {raw.shape} and {restored.shape}, expected a whole multiple of the raw pixels")
    pixels = block * times
    means = area(restored[: tall * pixels, : wide * pixels], (tall, wide))
    return _compare(area(raw[: tall * block, : wide * block], (tall, wide)), means)


def resolution_scaled(raw: Image, restored: Image, sigma_px: float | None = None) -> ErrorMap:
    """The map of all raw pixels, as NanoJ-SQUIRREL makes it; `sigma_px` is found unless it is given (0: no blur).

    The width is searched by golden sections from 0 to 6 raw pixels. For looking afterwards: 30 blurs of the frame.
    """
    d = raw.astype(np.float32)
    s = area(restored, (raw.shape[0], raw.shape[1]))
    if sigma_px is not None:
        return _compare(d, _blurred(s, sigma_px), sigma_px)
    low, high = 0.0, WIDEST_PX
    for _ in range(ROUNDS):
        first, second = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if _compare(d, _blurred(s, first)).rse <= _compare(d, _blurred(s, second)).rse:
            high = second
        else:
            low = first
    both = (_compare(d, _blurred(s, sigma), sigma) for sigma in (0.0, (low + high) / 2))
    return min(both, key=lambda found: found.rse)


def scaled_error(raw: Float, restored: Float, noise: float) -> dict[str, float]:
    """`rse` and `rsp` of patches on one grid (`Patches.of`), by means over 8 x 8 pixels.

    `rse` is in units of what the raw frame's `noise` leaves of such a mean: 1 when noise is all that differs.
    """
    for _ in range(BLOCK.bit_length() - 1):
        raw, restored = halved(raw), halved(restored)
    found = _compare(raw, restored)
    return {"rse": found.rse * BLOCK / noise, "rsp": found.rsp}


def _compare(raw: Float, restored: Float, sigma_px: float = 0.0) -> ErrorMap:
    line, slope, offset = fitted(raw, restored)
    left = raw - line
    spread_raw, spread = (float(cv2.meanStdDev(each)[1][0, 0]) for each in (raw, restored))
    rsp = slope * spread / spread_raw if spread_raw > 0 else 0.0
    rse = float(np.sqrt(cv2.norm(left, cv2.NORM_L2SQR) / left.size))
    return ErrorMap(left, rse, float(np.clip(rsp, -1, 1)), slope, offset, sigma_px)


def _blurred(image: Float, sigma_px: float) -> Float:
    if sigma_px < 0.05:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT), np.float32)
