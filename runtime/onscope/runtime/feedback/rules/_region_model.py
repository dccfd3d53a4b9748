"""Regions as they are written, and which places lie in them."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from ._strict import Strict
from ._test_model import Finite

Floats = npt.NDArray[np.float64]
Range = tuple[Finite, Finite]


class CircleModel(Strict):
    """A disk."""

    x: Finite
    y: Finite
    radius: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class RegionModel(Strict):
    """A box (`x` and `y`, each from and to; one left out: all of it), a `circle`, or a polygon of `corners`."""

    units: Literal["pixels", "share", "stage_um"] = Field(
        description="pixels of the raw frame, shares of its width and height (0 to 1), or micrometres of the stage"
    )
    x: Range | None = None
    y: Range | None = None
    circle: CircleModel | None = Field(None, description="its radius in shares is one of the frame's smaller side")
    corners: Annotated[list[Range], Field(min_length=3, max_length=1000)] | None = Field(
        None, description="[[x, y], ...]"
    )

    @model_validator(mode="after")
    def _fits(self) -> RegionModel:
        box = self.x is not None or self.y is not None
        if box + (self.circle is not None) + (self.corners is not None) != 1:
            raise ValueError("found no one shape, expected either x and y, a circle, or corners")
        for name, told in (("x", self.x), ("y", self.y)):
            if told is not None and not told[0] < told[1]:
                raise ValueError(f"found {name} from {told[0]:g} to {told[1]:g}, expected the smaller number first")
        return self


def within(region: RegionModel, y: Floats, x: Floats, aspect: float = 1.0) -> npt.NDArray[np.bool_]:
    """Which places lie in a region; all in its units. `aspect`: of shares, the frame's width over its height.

    Edges belong to boxes and circles. NaN is nowhere.
    """
    inside = np.isfinite(y) & np.isfinite(x)
    for told, values in ((region.x, x), (region.y, y)):
        if told is not None:
            inside &= (values >= told[0]) & (values <= told[1])
    if region.circle is not None:
        wide, high = (max(aspect, 1.0), max(1 / aspect, 1.0)) if region.units == "share" else (1.0, 1.0)
        away = np.hypot((x - region.circle.x) * wide, (y - region.circle.y) * high)
        inside &= away <= region.circle.radius
    if region.corners is not None:
        inside &= _in_polygon(np.array(region.corners, np.float64), y, x)
    return inside


def _in_polygon(corners: Floats, y: Floats, x: Floats) -> npt.NDArray[np.bool_]:
    """By the number of sides to the right of a place, odd within."""
    odd = np.zeros(y.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            odd ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return odd
