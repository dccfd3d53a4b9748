"""Vectors: numbers that describe an image or a crop, such as an embedding that objects are compared by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from .._errors import PipelineError
from .._frame import Pixels
from ._settings import Setting

SETTINGS = (Setting("columns", "words", "names of the numbers (default: appearance_0, appearance_1, ...)"),)


class VectorsDecoder:
    """Answers a table with one row per entry of the batch of an output (batch, channel), float32."""

    labels = False

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None:
        if "channel" not in axes or {"y", "x"} & set(axes):
            raise PipelineError(
                f"found vectors in an output with the axes {', '.join(axes)}, expected channel, and no y and x: set "
                "`decode` to what the network answers"
            )
        self.columns: tuple[str, ...] = tuple(settings.get("columns") or ())
        if not self.columns:
            raise PipelineError("found vectors of an unknown length, expected `columns`, a name for each number")
        self.told: list[str] = []
        self._at = list(axes).index("channel")

    def rows(self, shape: Sequence[int]) -> int:
        """The most rows that an output of this shape makes."""
        return prod(shape) // len(self.columns)

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        if output.shape[self._at] != len(self.columns):
            raise PipelineError(
                f"found vectors of {output.shape[self._at]} numbers, expected {len(self.columns)}, one for each of "
                "`columns`: correct the names"
            )
        rows = np.moveaxis(output, self._at, -1).reshape(-1, len(self.columns))
        return np.ascontiguousarray(rows, np.float32), "ic"
