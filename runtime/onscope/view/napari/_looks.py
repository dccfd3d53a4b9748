"""How what arrives looks: contrast, places and features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._wire import Array
from ..client import Vectors

LOW, HIGH = 0.5, 99.9
OPACITY = 0.35
"""Of labels, over raw frames that are to be seen through them."""
EDGE = 0.5
"""What is drawn over pictures counts from the edge of the first pixel, tables from its middle."""
MOST_PIXELS = 1 << 18
"""That contrast is chosen from: of larger images some of them."""


def contrast(data: Array) -> tuple[float, float] | None:
    """Values of black and white, by percentiles; None where all pixels are alike."""
    step = max(1, int(np.sqrt(data.size / MOST_PIXELS)))
    some = data[..., ::step, ::step]
    some = some[np.isfinite(some)] if some.dtype.kind == "f" else some
    if not some.size:
        return None
    low, high = (float(value) for value in np.percentile(some, (LOW, HIGH)))
    return (low, high) if high > low else None


def points_of(columns: Mapping[str, Array], vectors: Vectors | None) -> Array:
    """(n, 2) y, x of a table's rows in pixels, 0 in the middle of the first: by its columns, or its boxes' middles."""
    if "y" in columns and "x" in columns:
        return np.stack([columns["y"], columns["x"]], axis=1).astype(np.float64)
    if vectors is not None and vectors.kind == "boxes":
        corners = vectors.points.astype(np.float64)
        return (corners[:, :2] + corners[:, 2:]) / 2 - EDGE
    if vectors is not None and vectors.kind == "spots":
        return vectors.points.astype(np.float64) - EDGE
    if {"y0", "x0", "y1", "x1"} <= set(columns):
        y, x = ((np.asarray(columns[f"{axis}0"], float) + columns[f"{axis}1"]) / 2 for axis in "yx")
        return np.stack([y, x], axis=1)
    return np.zeros((len(next(iter(columns.values()), ())), 2))


def features(columns: Mapping[str, Array]) -> dict[str, Any]:
    """A table's columns, in memory of their own: a message is as large as its pictures, and need not stay."""
    return {name: np.array(values) for name, values in columns.items()}
