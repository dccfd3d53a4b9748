"""A label image as runs: the stretches of one label along the rows.

Nearly all that is asked of an object follows from its runs, of which there are some tens of times fewer than pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError

Integers = npt.NDArray[np.int64]
LARGEST = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Runs:
    """Runs of all objects, row by row as they lie in the image; `shape` (y, x) is the image's.

    `y` (n,) is the row, `x0` (n,) the first pixel, `x1` (n,) the one behind the last, `label` (n,) from 1.
    """

    shape: tuple[int, int]
    y: Integers
    x0: Integers
    x1: Integers
    label: Integers

    @classmethod
    def of(cls, labels: npt.NDArray[Any]) -> Runs:
        """The runs of a label image (y, x) of whole numbers, 0: no object; PipelineError for anything else."""
        if labels.ndim != 2 or labels.dtype.kind not in "iu":
            raise PipelineError(
                f"found an image of {labels.dtype} with the shape {labels.shape}, expected whole numbers (y, x): "
                "choose a stage that answers with labels"
            )
        shape = (labels.shape[0], labels.shape[1])
        flat = np.ascontiguousarray(labels).reshape(-1)
        begins = np.empty(flat.size, np.bool_)
        np.not_equal(flat[1:], flat[:-1], out=begins[1:])
        begins[:: max(shape[1], 1)] = True
        first = np.flatnonzero(begins)
        last = np.append(first[1:], flat.size)
        own = flat[first]
        objects = np.flatnonzero(own)
        own = own[objects]
        if len(own) and (own.min() < 0 or own.max() > LARGEST):
            wrong = own.min() if own.min() < 0 else own.max()
            raise PipelineError(
                f"found the label {wrong}, expected 0 for no object, and 1 to {LARGEST}: number the objects anew"
            )
        y, x0 = np.divmod(first[objects], shape[1]) if len(own) else (np.zeros(0, np.int64),) * 2
        return cls(shape, y, x0, last[objects] - y * shape[1], own.astype(np.int64))

    @cached_property
    def lengths(self) -> Integers:
        """Pixels of each run."""
        return self.x1 - self.x0

    @cached_property
    def labels(self) -> Integers:
        """The objects' labels, rising."""
        return self._sorted[1]

    @cached_property
    def objects(self) -> npt.NDArray[np.intp]:
        """The number of its object (its place in `labels`), of each run."""
        order, labels, first = self._sorted
        objects = np.empty(len(order), np.intp)
        objects[order] = np.repeat(np.arange(len(labels)), np.diff(np.append(first, len(order))))
        return objects

    @cached_property
    def _sorted(self) -> tuple[npt.NDArray[np.intp], Integers, npt.NDArray[np.intp]]:
        """The order of the runs by label (and row by row within), the labels, and where each begins in that order."""
        order = np.argsort(self.label, kind="stable")
        own = self.label[order]
        first = np.flatnonzero(np.diff(own, prepend=0))
        return order, own[first], first

    @property
    def pixels(self) -> tuple[Integers, Integers, Integers]:
        """y and x of all pixels, object by object and row by row within, and how many pixels each object has."""
        order = self._sorted[0]
        lengths = self.lengths[order]
        behind = np.cumsum(lengths)
        y = np.repeat(self.y[order], lengths)
        x = np.arange(len(y)) + np.repeat(self.x0[order] + lengths - behind, lengths)
        return y, x, self.reduced(self.lengths)

    def reduced(self, values: npt.NDArray[Any], by: Callable[..., Any] = np.add.reduceat) -> npt.NDArray[Any]:
        """One value per object out of those of its runs, (n,) or (n, k): their sum, or what `by` does (`reduceat`)."""
        order, _, first = self._sorted
        return np.asarray(by(values[order], first, axis=0) if len(first) else values[:0])
