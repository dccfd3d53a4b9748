"""Light beside what is looked at: a lamp's field is wider than the region that a camera reads."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ._view import View
from .optics import Illumination, Microscope, Stripes

Array = npt.NDArray[Any]

COARSE_UM = 2.0
"""Side in um of the pixels that light beside the view is reckoned on: chosen, a tenth of a cell."""


def beyond(
    scope: Microscope,
    light: Illumination,
    view: View,
    axis_um: tuple[float, float],
    seconds: float,
    extent_um: tuple[float, float],
) -> tuple[View, Array] | None:
    """The light's field as far as it falls on the sample, and J/cm2 per pixel of it: 0 where `view` lies.

    None where nothing of it lies outside of the view, and in a confocal, whose light goes only where it looks. Stripes
    are finer than anything that is reckoned here, so their mean is taken.
    """
    if scope.mode == "confocal":
        return None
    ends = [
        (max(0.0, middle - light.field_um / 2), min(extent, middle + light.field_um / 2))
        for middle, extent in zip(axis_um, extent_um, strict=True)
    ]
    if any(low >= high for low, high in ends):
        return None
    pixel_um = max(view.pixel_um, COARSE_UM)
    (top, bottom), (left, right) = ends
    shape = math.ceil((bottom - top) / pixel_um), math.ceil((right - left) / pixel_um)
    field = View(((top + bottom) / 2, (left + right) / 2), shape, pixel_um)
    covered = [_covered(field, view, axis) for axis in (0, 1)]
    outside = 1 - covered[0][:, None] * covered[1]
    if not outside.any():
        return None
    even = replace(light, pattern=None) if isinstance(light.pattern, Stripes) else light
    return field, scope.fluence(field, even, seconds, axis_um=axis_um) * outside


def _covered(field: View, view: View, axis: int) -> Array:
    """How much of each of the field's rows (axis 0) or columns (1) lies in the view, 0 to 1, float32."""
    low = field.centre_um[axis] + (np.arange(field.shape[axis]) - field.shape[axis] / 2) * field.pixel_um
    start = view.centre_um[axis] - view.size_um[axis] / 2
    inside = np.minimum(low + field.pixel_um, start + view.size_um[axis]) - np.maximum(low, start)
    return np.asarray(np.clip(inside, 0, None) / field.pixel_um, dtype=np.float32)
