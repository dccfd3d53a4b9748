"""What makes the pixels of a chip differ: read noise, response, offset, dark current, hot pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Spread:
    """How the pixels of one chip scatter, and which chip it is.

    `read_noise_electrons` is the median over the pixels, log-normal with `read_noise_spread`; `response` the relative
    standard deviation of the sensitivity, `offset_counts` that of the dark level; `dark_electrons_s` the usual dark
    current in electrons per second, `hot_share` of the pixels have instead one around `hot_electrons_s` (log-normal,
    factor of 3). `chip` is (rows, columns) of all its pixels; None: every frame is a whole chip of its own size.
    """

    read_noise_electrons: float
    read_noise_spread: float
    response: float
    offset_counts: float
    dark_electrons_s: float
    hot_share: float
    hot_electrons_s: float
    chip: tuple[int, int] | None
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Dark:
    """Dark current: that of all pixels but the hot ones, and what the hot ones have more, in electrons per second.

    `hot` are flat places in the frame (int64, rising), `more` float32 of the same length.
    """

    usual: float
    hot: npt.NDArray[np.int64]
    more: npt.NDArray[np.float32]
    columns: int

    def collect(self, mean: Array, rows: slice, exposure_s: float) -> None:
        """Adds what collects in an exposure to the mean electrons of some rows of the frame, in place."""
        if exposure_s > 0:
            mean += np.float32(self.usual * exposure_s)
            first, last = np.searchsorted(self.hot, (rows.start * self.columns, rows.stop * self.columns))
            mean.reshape(-1)[self.hot[first:last] - rows.start * self.columns] += self.more[first:last] * np.float32(
                exposure_s
            )


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """The pixels of one frame, float32 (rows, columns), read-only; None where all are alike.

    `variance` of the read noise in electrons squared, `response` relative to the mean, `offset` in counts relative to
    the mean.
    """

    variance: Array
    response: Array | None
    offset: Array | None
    dark: Dark


@lru_cache(maxsize=8)
def pixels(spread: Spread, shape: tuple[int, int], corner: tuple[int, int], binning: int) -> Pixels:
    """The pixels of a region of the chip that begins at `corner` (row, column) and is `shape` binned pixels large.

    The noise of `binning` x `binning` pixels adds up in squares, their dark current in sum; response and offset are
    means. Raises ValueError for a region that the chip does not hold.
    """
    chip = spread.chip or shape
    rows, columns = (slice(c, c + n * binning) for c, n in zip(corner, shape, strict=True))
    if spread.chip is None and (corner != (0, 0) or binning != 1):
        raise ValueError(
            f"found a region at {corner} with binning {binning} of a sensor without a chip, expected chip=(rows, "
            "columns): set the size of the whole sensor, so that its pixels keep their pattern"
        )
    if binning < 1 or min(corner) < 0 or rows.stop > chip[0] or columns.stop > chip[1]:
        raise ValueError(
            f"found a region of {shape} pixels with binning {binning} at {corner}, expected one within the chip of "
            f"{chip}: make it smaller or move it"
        )

    def binned(whole: Array) -> Array:
        part = whole[rows, columns]
        if binning > 1:
            part = part.reshape(shape[0], binning, shape[1], binning).sum(axis=(1, 3), dtype=np.float64)
        part = np.ascontiguousarray(part, dtype=np.float32)
        part.flags.writeable = False
        return part

    chips = _chip(spread, chip)
    area = np.float32(binning**2)
    return Pixels(
        binned(chips.variance),
        None if chips.response is None else binned(chips.response) / area,
        None if chips.offset is None else binned(chips.offset) / area,
        _region(chips.dark, rows, columns, binning),
    )


def _region(dark: Dark, rows: slice, columns: slice, binning: int) -> Dark:
    row, column = np.divmod(dark.hot, dark.columns)
    inside = (row >= rows.start) & (row < rows.stop) & (column >= columns.start) & (column < columns.stop)
    width = (columns.stop - columns.start) // binning
    at = (row[inside] - rows.start) // binning * width + (column[inside] - columns.start) // binning
    places, which = np.unique(at, return_inverse=True)
    more = np.bincount(which, weights=dark.more[inside], minlength=places.size).astype(np.float32)
    return Dark(dark.usual * binning**2, places, more, width)


@lru_cache(maxsize=4)
def _chip(spread: Spread, shape: tuple[int, int]) -> Pixels:
    deviates = np.random.default_rng(spread.seed).standard_normal(shape)
    read = (spread.read_noise_electrons * np.exp(spread.read_noise_spread * deviates)).astype(np.float32)
    rng = np.random.default_rng((spread.seed, 1))
    response = offset = None
    if spread.response > 0:
        response = np.maximum(1 + spread.response * rng.standard_normal(shape, dtype=np.float32), 0)
    if spread.offset_counts > 0:
        offset = spread.offset_counts * rng.standard_normal(shape, dtype=np.float32)
    hot = np.flatnonzero(rng.random(shape, dtype=np.float32) < spread.hot_share) if spread.hot_share > 0 else NONE
    more = spread.hot_electrons_s * 3 ** rng.standard_normal(hot.size) - spread.dark_electrons_s
    return Pixels(read * read, response, offset, Dark(spread.dark_electrons_s, hot, more.astype(np.float32), shape[1]))
