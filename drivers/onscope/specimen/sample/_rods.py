"""Rod-shaped bodies (a cylinder with round ends), drawn exactly: for each pixel its distance to the rod's axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._view import View
from ._patches import Patch, boxes

Array = npt.NDArray[Any]


def distances(
    view: View, y_um: Array, x_um: Array, angle: Array, length_um: Array, width_um: float
) -> list[tuple[Patch, Array]]:
    """For each rod in the view, a patch with the distance of each pixel's middle to the rod's axis in um, and, of the
    same shape, the place along the axis from the middle in um.

    The axis is the line between the middles of the two round ends, `length_um` - `width_um` long.
    """
    half = np.maximum((length_um - width_um) / 2, 0)
    reach = width_um / 2 + view.pixel_um
    cos, sin = np.cos(angle), np.sin(angle)
    held = boxes(view, y_um, x_um, half * np.abs(sin) + reach, half * np.abs(cos) + reach)
    row, column = view.pixels(y_um, x_um)
    out = []
    for n in np.flatnonzero((held[:, 2] > held[:, 0]) & (held[:, 3] > held[:, 1])):
        top, left, bottom, right = (int(v) for v in held[n])
        dy = ((np.arange(top, bottom) - row[n]) * view.pixel_um).astype(np.float32)[:, None]
        dx = ((np.arange(left, right) - column[n]) * view.pixel_um).astype(np.float32)[None, :]
        along = dx * np.float32(cos[n]) + dy * np.float32(sin[n])
        across = dy * np.float32(cos[n]) - dx * np.float32(sin[n])
        beyond = np.abs(along)
        beyond -= np.float32(half[n])
        np.maximum(beyond, 0, out=beyond)
        out.append((Patch(int(n), top, left, np.hypot(across, beyond)), along))
    return out
