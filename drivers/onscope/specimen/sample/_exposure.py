"""Light that samples are asked to take, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import View

Array = npt.NDArray[Any]


def checked_fluence(view: View, fluence_j_cm2: Array | float) -> Array:
    """The fluence, float32 where it is given so, else float64: of the view's shape, or of no dimension where one number
    stands for all pixels.

    Raises ValueError for another shape and for less than 0 J/cm2.
    """
    fluence = np.asarray(fluence_j_cm2)
    fluence = fluence if fluence.dtype == np.float32 else fluence.astype(np.float64)
    if fluence.ndim and fluence.shape != view.shape:
        raise ValueError(f"found a fluence of shape {fluence.shape}, expected {view.shape} or one number for all")
    if not fluence.min() >= 0:  # nor is what is no number
        raise ValueError(f"found a fluence of {fluence.min():g} J/cm2, expected 0 or more everywhere")
    return fluence


def at_points(view: View, y_um: Array, x_um: Array, fluence: Array) -> Array:
    """Fluence at points, of the shape of `y_um`; 0 outside of the view."""
    row, column = (np.floor(each + 0.5).astype(np.int64) for each in view.pixels(y_um, x_um))
    inside = (row >= 0) & (row < view.shape[0]) & (column >= 0) & (column < view.shape[1])
    if fluence.ndim == 0:
        return np.asarray(inside * float(fluence))
    index = np.clip(row, 0, view.shape[0] - 1) * view.shape[1] + np.clip(column, 0, view.shape[1] - 1)
    return np.where(inside, np.take(fluence.ravel(), index), 0)


def received_by_points(view: View, y_um: Array, x_um: Array, fluence: Array) -> Array:
    """Fluence (N,) at points, float64; 0 outside of the view."""
    return np.asarray(at_points(view, y_um, x_um, fluence), dtype=np.float64)
