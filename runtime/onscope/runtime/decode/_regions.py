"""The objects of a label image as lists of pixels, so that each is looked at in its own box."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..objects import Runs

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Regions:
    """Pixels `y` and `x` of all objects, one object after the other: `first` (n,) is where each begins, `sizes` (n,).

    `boxes` (n, 4): the smallest y and x, the largest y and x.
    """

    y: Places
    x: Places
    first: Places
    sizes: Places
    boxes: Places

    @classmethod
    def of(cls, labels: npt.NDArray[np.int32]) -> Regions:
        """The objects of a label image (0: background), by rising label."""
        return cls._made(*Runs.of(labels).pixels)

    @classmethod
    def _made(cls, y: Places, x: Places, sizes: Places) -> Regions:
        first = np.cumsum(sizes) - sizes
        if not len(sizes):
            return cls(y, x, first, sizes, np.zeros((0, 4), np.intp))
        low = [np.minimum.reduceat(each, first) for each in (y, x)]
        high = [np.maximum.reduceat(each, first) for each in (y, x)]
        return cls(y, x, first, sizes, np.stack([*low, *high], axis=1))

    @property
    def owner(self) -> Places:
        """The number of its object, of each pixel."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def only(self, chosen: npt.NDArray[np.bool_]) -> Regions:
        """Some of the objects."""
        pixels = np.repeat(chosen, self.sizes)
        return self._made(self.y[pixels], self.x[pixels], self.sizes[chosen])


def filled(regions: Regions, shape: tuple[int, ...], smallest: int) -> npt.NDArray[np.int32]:
    """The label image of the objects with their holes filled, without those of less than `smallest` pixels.

    Labels are 1, 2, ... by the objects' first pixels, row by row.
    """
    regions = regions.only(regions.sizes >= smallest)
    labels = np.zeros(shape, np.int32)
    if not len(regions.sizes):
        return labels
    order = np.argsort(regions.y[regions.first] * shape[1] + regions.x[regions.first], kind="stable")
    for label, number in enumerate(order, start=1):
        first, size = regions.first[number], regions.sizes[number]
        top, left, bottom, right = (int(value) for value in regions.boxes[number])
        mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
        mask[regions.y[first : first + size] - top, regions.x[first : first + size] - left] = 1
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(mask, contours, -1, 1, cv2.FILLED)
        labels[top : bottom + 1, left : right + 1][mask.astype(bool)] = label
    return labels


def numbered(labels: npt.NDArray[np.int32], smallest: int = 0) -> npt.NDArray[np.int32]:
    """The label image with the labels 1, 2, ... by the objects' first pixels, row by row; small ones are background."""
    places = np.flatnonzero(labels)
    own = labels.ravel()[places]
    if not len(own):
        return np.zeros(labels.shape, np.int32)
    first = np.full(int(own.max()) + 1, -1, np.intp)
    first[own[::-1]] = places[::-1]  # of several values the last one stays: that of the first pixel
    sizes = np.bincount(own)
    kept = np.flatnonzero((sizes >= smallest) & (first >= 0))
    kept = kept[np.argsort(first[kept])]
    names = np.zeros(len(first), np.int32)
    names[kept] = np.arange(1, len(kept) + 1, dtype=np.int32)
    found = np.zeros(labels.shape, np.int32)
    found.ravel()[places] = names[own]
    return found
