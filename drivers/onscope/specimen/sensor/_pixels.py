"""What makes the pixels of a chip differ: read noise, response, offset, dark current, hot pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


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
class Pixels:
    """The pixels of one frame, float32 (rows, columns), read-only; None where all are alike.

    `read` noise in electrons, `response` relative to the mean, `offset` in counts relative to the mean, `dark`
    current in electrons per second.
    """

    read: Array
    response: Array | None
    offset: Array | None
    dark: Array | None


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

    def binned(whole: Array, power: int = 1) -> Array:
        part = whole[rows, columns]
        if binning > 1:
            blocks = part.astype(np.float64).reshape(shape[0], binning, shape[1], binning)
            part = (blocks**power).sum(axis=(1, 3)) ** (1 / power)
        part = np.ascontiguousarray(part, dtype=np.float32)
        part.flags.writeable = False
        return part

    maps = _chip(spread, chip)
    area = np.float32(binning**2)
    return Pixels(
        binned(maps.read, 2),
        None if maps.response is None else binned(maps.response) / area,
        None if maps.offset is None else binned(maps.offset) / area,
        None if maps.dark is None else binned(maps.dark),
    )


@lru_cache(maxsize=4)
def _chip(spread: Spread, shape: tuple[int, int]) -> Pixels:
    deviates = np.random.default_rng(spread.seed).standard_normal(shape)
    read = (spread.read_noise_electrons * np.exp(spread.read_noise_spread * deviates)).astype(np.float32)
    rng = np.random.default_rng((spread.seed, 1))
    response = offset = dark = None
    if spread.response > 0:
        response = np.maximum(1 + spread.response * rng.standard_normal(shape, dtype=np.float32), 0)
    if spread.offset_counts > 0:
        offset = spread.offset_counts * rng.standard_normal(shape, dtype=np.float32)
    if spread.dark_electrons_s > 0 or spread.hot_share > 0:
        dark = np.full(shape, spread.dark_electrons_s, dtype=np.float32)
        hot = rng.random(shape, dtype=np.float32) < spread.hot_share
        dark[hot] = spread.hot_electrons_s * 3 ** rng.standard_normal(int(hot.sum()))
    return Pixels(read, response, offset, dark)
