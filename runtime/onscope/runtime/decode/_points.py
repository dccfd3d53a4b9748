"""Points: a table of (y, x, score, ...) rows that the graph found, cut at a threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._errors import PipelineError
from .._frame import Pixels
from ._settings import Setting

SETTINGS = (
    Setting("columns", "words", "names of the table's columns, one of them score", compiled=True),
    Setting("threshold", "number", "lowest score of a point", 0.5),
)


class PointsDecoder:
    """Answers the rows of a (k, columns) output whose `score` reaches the threshold.

    y and x are in pixels of the raw frame. The rows are expected by falling score, as the graph's TopK leaves them.
    """

    labels = False

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None:
        self.columns: tuple[str, ...] = tuple(settings.get("columns", ("y", "x", "score")))
        if "score" not in self.columns:
            raise PipelineError(f"found points with the columns {', '.join(self.columns)}, expected one named score")
        self._score = self.columns.index("score")
        self._threshold = float(settings.get("threshold", 0.5))
        self.told: list[str] = []

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        table = output.reshape(-1, output.shape[-1])
        if table.shape[1] != len(self.columns):
            raise PipelineError(
                f"found points with {table.shape[1]} columns, expected {len(self.columns)} ({', '.join(self.columns)})"
            )
        falling_below = np.searchsorted(-table[:, self._score], -self._threshold, side="right")
        return table[:falling_below], "ic"
