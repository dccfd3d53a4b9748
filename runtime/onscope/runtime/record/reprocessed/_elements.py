"""One element of an image of answers, written or read by a process that did not make the image.

An element is a chunk of its own in each level, and each belongs to one writer: no two ever write the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import RecordError
from .._array import TENSORSTORE_ERRORS, open_array
from .._flight import reason
from .._pyramid import pyramid

MOST_WAITING = 8
"""Writes under way at once: what waits for the disk stays in memory until then."""


class ElementWriter:
    """Writes into images below `folder` that are there already and reach far enough. Used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._levels: dict[str, list[Any]] = {}
        self._waiting: list[tuple[str, Any]] = []

    def write(self, path: str, at: Sequence[int], pixels: npt.NDArray[Any], *, labels: bool) -> None:
        """Begin to write the answer (y, x) or (y, x, samples) at element `at` of the image `path`, in all its levels.

        `pixels` must not change until `finish`. Raises RecordError.
        """
        levels = self._opened(path, at, samples=pixels.ndim == 3)
        made = [pixels] if len(levels) == 1 else pyramid(pixels, labels=labels)
        for array, level in zip(levels, made, strict=True):
            stored = np.moveaxis(level, -1, 0) if level.ndim == 3 else level
            index = _index(array, at, samples=level.ndim == 3)
            try:
                future = array[index].write(stored, can_reference_source_data_indefinitely=True).commit
                future.force()
            except TENSORSTORE_ERRORS as error:
                raise _refused(path, error) from error
            self._waiting.append((path, future))
        while len(self._waiting) > MOST_WAITING:
            self._land()

    def finish(self) -> None:
        """Return when everything is on the disk; raises RecordError."""
        while self._waiting:
            self._land()

    def _land(self) -> None:
        path, future = self._waiting.pop(0)
        try:
            future.result()
        except TENSORSTORE_ERRORS as error:
            raise _refused(path, error) from error

    def _opened(self, path: str, at: Sequence[int], *, samples: bool) -> list[Any]:
        levels = self._levels.get(path)
        if levels is None or not _reaches(levels[0], at, samples=samples):  # it has grown since it was opened
            names = sorted((self._folder / path).glob("[0-9]*"), key=lambda level: int(level.name))
            levels = self._levels[path] = [open_array(name, write=True) for name in names]
            if not levels or not _reaches(levels[0], at, samples=samples):
                raise RecordError(
                    f"found no room for element {tuple(at)} in {self._folder / path}, expected the image that was made "
                    "for it: is the folder on a disk that all workers share?"
                )
        return levels


class StoredArray:
    """The full resolution of an image on the disk, as an array that Dask can cut; opened in whichever process reads it.

    `shape` and `dtype` as stored, `axes` their names.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        array = self._open()
        self.shape: tuple[int, ...] = tuple(array.shape)
        self.dtype = np.dtype(array.dtype.numpy_dtype)
        self.axes = "".join(array.domain.labels)
        self.ndim = len(self.shape)

    def _open(self) -> Any:
        return open_array(self.path / "0")

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        """As NumPy's, of numbers and slices."""
        wanted = ranges_of(index, self.shape)
        # TensorStore counts slices otherwise than NumPy where their steps are no 1: cut afterwards.
        whole = tuple(slice(min(each), max(each) + 1) if len(each) else slice(0, 0) for each, _ in wanted)
        try:
            read = np.asarray(self._open()[whole].read().result())
        except TENSORSTORE_ERRORS as error:
            raise RecordError(f"{self.path} cannot be read ({reason(error)}): restore it from a copy") from error
        return squeezed(read[tuple(slice(None, None, each.step) for each, _ in wanted)], wanted)


Ranges = list[tuple[range, bool]]


def ranges_of(index: Any, shape: Sequence[int]) -> Ranges:
    """What an index of numbers and slices means along each axis, and whether it is a number, which takes the axis away.

    Raises IndexError.
    """
    told = index if isinstance(index, tuple) else (index,)
    found: Ranges = []
    for each, size in zip((*told, *[slice(None)] * (len(shape) - len(told))), shape, strict=True):
        if isinstance(each, slice):
            found.append((range(*each.indices(size)), False))
        else:
            at = range(size)[int(each)]
            found.append((range(at, at + 1), True))
    return found


def squeezed(array: npt.NDArray[Any], ranges: Ranges) -> npt.NDArray[Any]:
    """Without the axes along which a number was asked for."""
    return array[tuple(0 if single else slice(None) for _, single in ranges)]


def _index(array: Any, at: Sequence[int], *, samples: bool) -> tuple[int | slice, ...]:
    left, whole = iter(at), "cyx" if samples else "yx"
    return tuple(slice(None) if name in whole else int(next(left)) for name in array.domain.labels)


def _reaches(array: Any, at: Sequence[int], *, samples: bool) -> bool:
    index = _index(array, at, samples=samples)
    return all(isinstance(each, slice) or each < size for each, size in zip(index, array.shape, strict=True))


def _refused(path: str, error: Exception) -> RecordError:
    return RecordError(f"an answer could not be written to {path} ({reason(error)}): make room on its disk")
