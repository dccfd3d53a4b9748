"""Recorded images as one array that is read an element at a time, when it is looked at."""

from __future__ import annotations

from typing import Any

import numpy as np

from onscope.runtime.record import RecordedImages

from .._wire import Array


class Stack:
    """An array over the axes `along` and those of a frame; an element that is missing is NaN, or 0 in whole numbers."""

    def __init__(self, images: RecordedImages) -> None:
        self._images = images
        self._there = images.present
        self.shape = (*self._there.shape, *images.shape)
        self.dtype = images.dtype
        self.ndim = len(self.shape)

    def __getitem__(self, key: Any) -> Array:
        parts = key if isinstance(key, tuple) else (key,)
        along = self._there.ndim
        parts = (*parts, *[slice(None)] * (along - len(parts)))
        numbers = [np.atleast_1d(np.arange(size)[part]) for part, size in zip(parts, self._there.shape, strict=False)]
        found = np.full((*map(len, numbers), *self._images.shape), self._empty, self.dtype)
        for at in np.ndindex(*map(len, numbers)):
            element = tuple(int(axis[place]) for axis, place in zip(numbers, at, strict=True))
            if self._there[element]:
                found[at] = self._images.read(element)
        singles = tuple(0 if isinstance(part, (int, np.integer)) else slice(None) for part in parts[:along])
        return np.asarray(found[singles + tuple(parts[along:])])

    @property
    def _empty(self) -> float:
        return float("nan") if self.dtype.kind == "f" else 0


def lazy(images: RecordedImages) -> Any:
    """A dask array of the elements, one chunk each; where dask is missing, an array-like that napari takes as well."""
    stack = Stack(images)
    try:
        import dask.array
    except ImportError:
        return stack
    chunks = (*(1 for _ in images.present.shape), *images.shape)
    meta: Array = np.zeros((0,) * stack.ndim, stack.dtype)
    return dask.array.from_array(stack, chunks=chunks, meta=meta, name=False)
