"""Which elements of an image are there: an empty element has no chunk, and must not be taken for a black frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorstore as ts

from .._errors import RecordError
from ._array import FIRST_LENGTH, TENSORSTORE_ERRORS, array_spec, open_array

NAME = "present"
CHUNK = 1 << 16
"""Elements along t of one chunk."""

MOST = 1 << 28
"""More elements than an image has; what says so has been changed."""


class Presence:
    """The elements that are on the disk, by their indices along the axes before y and x; used by one thread at a time.

    A bit of memory for each element: an hour of 100 frames/s takes 0.4 MB.
    """

    def __init__(self, axes: int) -> None:
        self._there = np.zeros((0,) * axes, bool)

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self._there))

    @property
    def extent(self) -> tuple[int, ...]:
        """The sizes along the axes that hold all elements that are there."""
        if not self.count:
            return (0,) * self._there.ndim
        return tuple(int(indices.max()) + 1 for indices in np.nonzero(self._there))

    def mark(self, at: Sequence[int]) -> bool:
        """The element `at` is there; False when it was before."""
        wanted = [max(size, index + 1) for index, size in zip(at, self._there.shape, strict=True)]
        if wanted != list(self._there.shape):
            if wanted[0] > len(self._there):
                wanted[0] = max(2 * len(self._there), wanted[0], FIRST_LENGTH)
            self._there = self.array(wanted)
        new = not self._there[tuple(at)]
        self._there[tuple(at)] = True
        return new

    def unmark(self, at: Sequence[int]) -> None:
        """The element `at` is not there, or not any more."""
        if all(index < size for index, size in zip(at, self._there.shape, strict=True)):
            self._there[tuple(at)] = False

    def array(self, shape: Sequence[int]) -> npt.NDArray[np.bool_]:
        """For an image of these sizes along the axes."""
        whole = np.zeros(tuple(shape), bool)
        common = tuple(slice(min(mine, asked)) for mine, asked in zip(self._there.shape, shape, strict=True))
        whole[common] = self._there[common]
        return whole


def write_present(image: Path, present: npt.NDArray[np.bool_], axes: Sequence[str]) -> None:
    """Write the array `present` of an image, over what stands there; raises RecordError when the disk refuses it."""
    chunk = (max(1, min(CHUNK, present.shape[0])), *(max(1, size) for size in present.shape[1:]))
    spec = array_spec(image / NAME, present.shape, chunk, present.dtype, axes)
    try:
        array = ts.open(spec, create=True, delete_existing=True).result()
        array.write(np.ascontiguousarray(present)).result()
    except TENSORSTORE_ERRORS as error:
        raise RecordError(f"{image / NAME} cannot be written ({error}): is its disk full?") from error


def read_present(image: Path) -> npt.NDArray[np.bool_] | None:
    """The array `present` of an image; None when it has none (of a run that was cut off, or of layout 2)."""
    if not (image / NAME / "zarr.json").is_file():
        return None
    array: Any = open_array(image / NAME)
    if np.prod(array.shape, dtype=float) > MOST:
        raise RecordError(f"found {array.shape} elements in {image / NAME}, expected {MOST:,} at most: restore it")
    try:
        return np.asarray(array.read().result(), bool)
    except TENSORSTORE_ERRORS as error:
        raise RecordError(f"{image / NAME} cannot be read ({error}): restore it from a copy") from error


def presence_of(elements: npt.NDArray[np.int64], axes: int) -> npt.NDArray[np.bool_]:
    """Which elements are there: those in the rows of `elements`. Raises RecordError for what no image has."""
    if not len(elements):
        return np.zeros((0,) * axes, bool)
    sizes = elements.max(axis=0) + 1
    if elements.shape[1] != axes or elements.min() < 0 or np.prod(sizes, dtype=float) > MOST:
        raise RecordError(
            f"found elements up to {tuple(sizes.tolist())} in the rows of an image, expected {axes} numbers from 0 "
            f"each, and {MOST:,} elements at most: restore the table"
        )
    there = np.zeros(tuple(sizes), bool)
    there[tuple(elements.T)] = True
    return there
