"""The Fourier grid of an image: its frequencies, and transfer functions laid out on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import scipy.fft

from .._view import View
from ._kept import kept
from ._transfer import TABLE, Transfer

Array = npt.NDArray[Any]

MARGIN_UM = 3.0
"""What is drawn around a view, in um: chosen, between what is needed and what it costs (see `Microscope.image`)."""

SCALES = (8, 4, 2)
FOLDED = 0.1
"""Share of a detail at the pixels' limit above which they are too large for the lens: chosen, nothing rings below."""

FULL = 0.6
"""Share of a coarser grid's frequencies that is used: under 10 % of what is finer folds into it on the way there."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Pixels of an image that is transformed as one period: (rows, columns), multiples of 16, and their side in um."""

    shape: tuple[int, int]
    pixel_um: float

    @property
    def nyquist_per_um(self) -> float:
        """The highest frequency that the pixels can show, in cycles per um."""
        return 0.5 / self.pixel_um

    def coarser(self, scale: int) -> Grid:
        """The same period in pixels of `scale` times the side."""
        return Grid((self.shape[0] // scale, self.shape[1] // scale), self.pixel_um * scale)

    def scale(self, transfer: Transfer) -> int:
        """How much coarser the pixels may be without losing what passes: 8, 4, 2 or 1."""
        reach = transfer.reach_per_um
        return next((s for s in SCALES if reach * s < FULL * self.nyquist_per_um), 1)

    def spread(self, transfer: Transfer, scale: int = 1) -> Array:
        """What the half spectrum of amounts per pixel is multiplied with: float32 (rows, columns // 2 + 1).

        The transform of the point-spread function, for amounts that were drawn as integrals over pixels. Where the
        pixels are too large for what the lens passes (more than FOLDED of a detail at their limit), it is integrated
        over each pixel once more and what is finer folds back, as in a camera: else a single bright pixel would ring.
        On the coarser grid at other scales, where `halved` is undone.
        """
        return kept((self, transfer, scale), lambda: _spread(self, transfer, scale))


def enclosing(view: View, margin_um: float = MARGIN_UM) -> tuple[View, tuple[slice, slice]]:
    """A larger view whose pixels contain those of `view`, with a margin to blur in and sides that transform fast.

    The margin is `margin_um` wide, but at least 16 and at most about 64 pixels. Also the rows and columns of it that
    are `view`.
    """
    margin = min(max(math.ceil(margin_um / view.pixel_um), 16), 64)
    shape = tuple(16 * int(scipy.fft.next_fast_len(math.ceil((n + 2 * margin) / 16), real=True)) for n in view.shape)
    before = [(large - n) // 2 for large, n in zip(shape, view.shape, strict=True)]
    # an odd number of pixels more puts the middle half a pixel further
    shift = [(large - n - 2 * b) * view.pixel_um / 2 for large, n, b in zip(shape, view.shape, before, strict=True)]
    centre = (view.centre_um[0] + shift[0], view.centre_um[1] + shift[1])
    rows, columns = (slice(b, b + n) for b, n in zip(before, view.shape, strict=True))
    return View(centre, (shape[0], shape[1]), view.pixel_um), (rows, columns)


def halved(amount: Array, scale: int) -> Array:
    """Amounts per pixel on a grid `scale` (a power of 2) times coarser, at every scale-th pixel: float32.

    Each step is a binomial filter (1, 4, 6, 4, 1) / 16 along both axes, whose transform is cos^4.
    """
    while scale > 1:
        amount = cv2.pyrDown(amount) * np.float32(4)
        scale //= 2
    return amount


def _spread(grid: Grid, transfer: Transfer, scale: int) -> Array:
    coarse = grid.coarser(scale)
    folds = range(1)
    undersampled = scale == 1 and transfer.at(grid.nyquist_per_um) > FOLDED
    if undersampled:
        most = math.ceil((transfer.cutoff_per_um - grid.nyquist_per_um) * grid.pixel_um)
        folds = range(-most, most + 1)
    rows, columns = coarse.shape
    quarter = np.zeros((rows // 2 + 1, columns // 2 + 1), dtype=np.float32)
    for fold_y in folds:
        for fold_x in folds:
            nearest = math.hypot(_nearest(fold_y), _nearest(fold_x)) / grid.pixel_um
            if undersampled and nearest >= transfer.cutoff_per_um:
                continue
            part = np.take(transfer.values, _places(coarse, transfer.cutoff_per_um, fold_y, fold_x))
            if undersampled:
                part *= _box(rows, fold_y)[:, None]
                part *= _box(columns, fold_x)
            quarter += part
    if scale > 1:
        quarter *= _undone(rows, scale)[:, None]
        quarter *= _undone(columns, scale)
    if scale == 1:
        return np.asarray(np.concatenate([quarter, quarter[-2:0:-1]]))
    whole = np.concatenate([quarter[:-1], np.zeros_like(quarter[:1]), quarter[-2:0:-1]])
    whole[:, -1] = 0  # the coarse grid's own highest frequency has no sign: it is left out
    return np.asarray(whole)


@lru_cache(maxsize=64)
def _places(grid: Grid, cutoff_per_um: float, fold_y: int, fold_x: int) -> Array:
    y = (np.arange(grid.shape[0] // 2 + 1) / grid.shape[0] + fold_y) / grid.pixel_um
    x = (np.arange(grid.shape[1] // 2 + 1) / grid.shape[1] + fold_x) / grid.pixel_um
    place: Array = np.sqrt((y * y)[:, None] + x * x) * (TABLE / cutoff_per_um)
    return np.asarray(np.minimum(np.rint(place), TABLE).astype(np.int16))


def _nearest(fold: int) -> float:
    return float(fold) if fold >= 0 else -fold - 0.5  # of the frequencies 0 to 1/2 moved by `fold`, per pixel


def _box(count: int, fold: int) -> Array:
    return np.sinc(np.arange(count // 2 + 1) / count + fold).astype(np.float32)


def _undone(count: int, scale: int) -> Array:
    f = np.arange(count // 2 + 1) / (count * scale)
    factor = np.ones_like(f)
    while scale > 1:
        scale //= 2
        factor /= np.cos(np.pi * f * scale) ** 4
    return factor.astype(np.float32)
