"""How the pixels of raw frames are distributed: exact percentiles, means and spreads from one look at every frame."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._types import Statistic
from ._percentile import between, position
from ._selection import Selection

Pixels = npt.NDArray[Any]
EXACT_COUNT = 1 << 24
"""cv2.calcHist counts in float32: from here on a bin would lose some of its pixels."""
BLOCK = 4096
_ALONE = threading.Lock()


@dataclass(frozen=True)
class Counts:
    """A histogram of whole counts: `counts[i]` pixels have the value `low + i`.

    They are int64, or float32 of less than `EXACT_COUNT` pixels altogether, so that their sums are exact as well.
    """

    low: int
    counts: npt.NDArray[Any]

    @cached_property
    def total(self) -> int:
        return int(self._up_to[-1])

    @cached_property
    def _up_to(self) -> npt.NDArray[np.int64]:
        """Pixels up to the end of each block of values: a percentile needs the sums of all blocks, and of one."""
        if self.counts.size <= BLOCK:
            return self._within(0)[-1:]
        return np.cumsum(np.add.reduceat(self.counts, np.arange(0, self.counts.size, BLOCK)), dtype=np.int64)

    @cached_property
    def _blocks(self) -> dict[int, npt.NDArray[np.int64]]:
        return {}

    @cached_property
    def _mean(self) -> float:
        return self.low + float(np.dot(self.counts, np.arange(self.counts.size)) / self.total)

    def ranked(self, ranks: Sequence[int]) -> list[int]:
        """The pixels of these ranks, 0 being the smallest."""
        blocks = [0] * len(ranks)
        if self._up_to.size > 1:
            blocks = np.searchsorted(self._up_to, ranks, side="right").tolist()
        found = []
        for rank, block in zip(ranks, blocks, strict=True):
            before = int(self._up_to[block - 1]) if block else 0
            at = int(np.searchsorted(self._within(block), rank - before, side="right"))
            found.append(self.low + block * BLOCK + at)
        return found

    def _within(self, block: int) -> npt.NDArray[np.int64]:
        """Pixels of a block up to each of its values."""
        if block not in self._blocks:
            self._blocks[block] = np.cumsum(self.counts[block * BLOCK : (block + 1) * BLOCK], dtype=np.int64)
        return self._blocks[block]

    def measure(self, statistic: Statistic) -> float:
        """The statistic in float64; percentiles bit by bit as `np.quantile` has them."""
        if statistic.kind == "mean":
            return self._mean
        if statistic.kind == "std":
            off = np.arange(self.low, self.low + self.counts.size) - self._mean
            return math.sqrt(float(np.dot(self.counts, off * off)) / self.total)
        at = position(statistic.percentile / 100, self.total, statistic.method)
        below, above = self.ranked((at.below, at.above))
        return between(below, above, above - below, at.weight)

    def share_from(self, value: int) -> float:
        """Share of the pixels that have `value` or more."""
        return float(self.counts[max(0, value - self.low) :].sum()) / self.total


FAR = 1000.0
"""Standard deviations from the mean to 0, beyond which a variance as mean square - square of the mean loses digits."""


@dataclass(frozen=True)
class Floats:
    """Pixels of frames with fractions, NaN left out (as bioimageio.core's sample statistics do)."""

    frames: tuple[npt.NDArray[np.float32], ...]

    @cached_property
    def _pixels(self) -> npt.NDArray[np.float32]:
        flat = (
            self.frames[0].ravel() if len(self.frames) == 1 else np.concatenate([each.ravel() for each in self.frames])
        )
        return flat[~np.isnan(flat)] if math.isnan(float(flat.max())) else flat

    @cached_property
    def total(self) -> int:
        return int(self._pixels.size)

    @cached_property
    def _selection(self) -> Selection:
        return Selection(self._pixels)

    @cached_property
    def _moments(self) -> tuple[float, float]:
        import cv2

        pixels, near = self._pixels.reshape(1, -1), np.float32(0)
        mean, std = (each.item() for each in cv2.meanStdDev(pixels))  # squares and their sums in float64
        if abs(mean) > FAR * std:  # the difference of two large numbers; pixels close to `near` lose nothing by it
            near = np.float32(mean)
            mean, std = (each.item() for each in cv2.meanStdDev(pixels - near))
        return float(near) + float(mean), float(std)

    def ranked(self, ranks: Sequence[int]) -> list[float]:
        """The pixels of these ranks, 0 being the smallest."""
        return self._selection.ranked(ranks)

    def measure(self, statistic: Statistic) -> float:
        """The statistic in float64; percentiles as `np.quantile` has them for quantiles in float64."""
        if not self.total:
            return math.nan
        if statistic.kind != "percentile":
            return self._moments[statistic.kind == "std"]
        at = position(statistic.percentile / 100, self.total, statistic.method)
        below, above = self.ranked((at.below, at.above))
        return between(below, above, float(np.float32(above) - np.float32(below)), at.weight)


Distribution = Counts | Floats


def distributions(frame: Pixels) -> list[Distribution]:
    """One for each sample of the frame's pixels (RGB: 3): (y, x) or (y, x, s) of uint8, uint16 or float32."""
    import cv2

    samples = frame.shape[2] if frame.ndim == 3 else 1
    if frame.dtype.kind == "f":
        return [Floats((frame[..., at] if frame.ndim == 3 else frame,)) for at in range(samples)]
    frame = np.ascontiguousarray(frame)
    low, high = 0, 255
    if frame.dtype.itemsize > 1:  # the bins that can hold anything, instead of 65,536
        low, high = (int(each) for each in cv2.minMaxLoc(frame.reshape(frame.shape[0], -1))[:2])
    return [Counts(low, _counted(frame, at, low, high)) for at in range(samples)]


def merged(parts: Sequence[Distribution]) -> Distribution:
    """The distribution of all their pixels together."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Floats):
        return Floats(tuple(frame for part in parts if isinstance(part, Floats) for frame in part.frames))
    whole = [part for part in parts if isinstance(part, Counts)]
    low = min(part.low for part in whole)
    counts = np.zeros(max(part.low + part.counts.size for part in whole) - low, np.int64)
    for part in whole:
        counts[part.low - low : part.low - low + part.counts.size] += part.counts.astype(np.int64)
    return Counts(low, counts)


def _counted(frame: Pixels, sample: int, low: int, high: int) -> npt.NDArray[Any]:
    import cv2

    bins, rows = high - low + 1, max(1, EXACT_COUNT // frame[0].size)
    with _one_thread():
        parts = [
            cv2.calcHist([frame[top : top + rows]], [sample], None, [bins], [low, high + 1]).ravel()
            for top in range(0, frame.shape[0], rows)
        ]
    return parts[0] if len(parts) == 1 else np.sum([part.astype(np.int64) for part in parts], axis=0)


@contextmanager
def _one_thread() -> Iterator[None]:
    """OpenCV on one thread: each of several has all bins to itself, and 65,536 of them cost more than is saved.

    512x512 pixels over 16 bit take 0.28 ms on one thread, and 0.85 on two that nobody else wants; setting the number
    takes nothing. It is one for the process, so that two who set it at once must not put back each other's.
    """
    import cv2

    with _ALONE:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            yield
        finally:
            cv2.setNumThreads(threads)
