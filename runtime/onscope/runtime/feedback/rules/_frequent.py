"""A condition in n of the last m frames of the same spot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ._condition_model import Lost
from ._look import Look
from ._nodes import Node
from ._objects import Objects
from ._texts import Frequency
from ._threshold import values_of
from ._truth import Truth

Bits = npt.NDArray[np.uint64]


class Frequent:
    """Of each tracked object by itself, else of the frame: an object then counts where it holds now.

    The last 64 frames are bits of one number. A frame in which an object is missing is one in which it did not hold;
    what a frame means that gave no result, `lost` says.
    """

    def __init__(self, part: Node, often: Frequency, lost: Lost, key: int) -> None:
        self._part, self._often, self._lost, self._key = part, often, lost, key
        self._mask = np.uint64((1 << often.m) - 1)
        self._counts: npt.NDArray[np.int64] = np.zeros(1, np.int64)

    def holds(self, look: Look, objects: Objects | None) -> Truth:
        truth = self._part.holds(look, objects)
        # Lost frames move the bits on, or they do not.
        now = look.spot.frames if self._lost == "not met" else look.spot.results
        gaps = look.spot.gaps if self._lost == "start again" else 0
        key = self._key, "often"
        yes = truth.yes
        if objects is not None and objects.roster is not None and values_of(yes, objects):
            before = objects.recall(key, 0, np.uint64)
            when, then = objects.recall((*key, "at"), 0, np.int64), objects.recall((*key, "gaps"), 0, np.int64)
            bits = self._moved(before, np.where(when > 0, now - when, 64), then == gaps, yes)
            there = objects.present
            bits = np.where(there, bits, self._moved(before, now - when, then == gaps, np.zeros(len(bits), bool)))
            objects.keep(key, 0, bits)
            objects.keep((*key, "at"), 0, np.full(len(bits), now, np.int64))
            objects.keep((*key, "gaps"), 0, np.full(len(bits), gaps, np.int64))
            self._counts = np.bitwise_count(bits).astype(np.int64)
            return Truth.of(self._counts >= self._often.n)
        last, at, gap = look.spot.field.get(key, (np.zeros(1, np.uint64), now - 64, gaps))
        bits = self._moved(last, np.array([now - at]), np.array([gap == gaps]), np.atleast_1d(yes.any()))
        look.spot.field[key] = bits, now, gaps
        self._counts = np.bitwise_count(bits).astype(np.int64)
        often = bool(self._counts[0] >= self._often.n)
        # An object without a track cannot be told from the one before: it has to hold now.
        met = yes & often if yes.ndim else np.asarray(often)
        return Truth.of(met)

    def _moved(
        self, bits: Bits, by: npt.NDArray[np.int64], goes_on: npt.NDArray[np.bool_], now: npt.NDArray[np.bool_]
    ) -> Bits:
        by = np.clip(by, 0, 64)
        moved = np.where(goes_on & (by < 64), bits << np.minimum(by, 63).astype(np.uint64), np.uint64(0))
        told: Bits = (moved | now.astype(np.uint64)) & self._mask
        return told

    def words(self, at: int) -> str:
        count = self._counts[at if len(self._counts) > 1 else 0]
        return f"{self._part.words(at)}, in {count} of the last {self._often.m} frames"
