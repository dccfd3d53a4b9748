"""Place and shape of objects, by the definitions of scikit-image's `regionprops`
(https://scikit-image.org/docs/stable/api/skimage.measure.html#skimage.measure.regionprops).

Lengths of axes are those of the ellipse with the same second central moments as the object's pixel centres. A pixel
counts as a point: the 1/12 that its own extent adds to the moments (as in MATLAB) is left out, so that a line of one
pixel's width has the minor length 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._runs import Runs

COLUMNS: tuple[tuple[str, str], ...] = (
    ("label", "int32"),
    ("y", "float32"),
    ("x", "float32"),
    *((name, "int32") for name in ("y0", "x0", "y1", "x1")),
    ("area", "float32"),
    ("axis_major_length", "float32"),
    ("axis_minor_length", "float32"),
    ("orientation", "float32"),
    ("eccentricity", "float32"),
    ("equivalent_diameter_area", "float32"),
    ("extent", "float32"),
    ("touches_border", "bool"),
)
NEAR_PX = 2.0
"""Raw pixels from the border within which an object that reaches there is taken to touch it: outlines of networks with
a grid of two pixels, as star-convex ones have, end a pixel short of the border that cuts their object."""
ROUND = 1e-12
"""Second moments that differ by less than this part of their sum are the same: what is left is rounding."""


def shapes(runs: Runs, scale: float) -> dict[str, npt.NDArray[Any]]:
    """The columns `COLUMNS` by name, a row per object by rising label; `scale`: label pixels per raw pixel."""
    pixels = runs.reduced(runs.lengths).astype(np.float64)
    along = (runs.x0 + runs.x1 - 1) / 2  # a run's middle
    y, x = (runs.reduced(runs.lengths * each) / pixels for each in (runs.y, along))
    y0, x0 = (runs.reduced(each, np.minimum.reduceat) for each in (runs.y, runs.x0))
    y1, x1 = runs.reduced(runs.y, np.maximum.reduceat) + 1, runs.reduced(runs.x1, np.maximum.reduceat)
    area = pixels / scale**2
    near = NEAR_PX * scale
    return {
        "label": runs.labels,
        "y": (y + 0.5) / scale - 0.5,
        "x": (x + 0.5) / scale - 0.5,
        # Whole raw pixels that the object touches.
        **{name: np.floor(edge / scale) for name, edge in (("y0", y0), ("x0", x0))},
        **{name: np.ceil(edge / scale) for name, edge in (("y1", y1), ("x1", x1))},
        "area": area,
        **_ellipses(runs, pixels, along, y, x, scale),
        "equivalent_diameter_area": np.sqrt(4 * area / np.pi),
        "extent": pixels / ((y1 - y0) * (x1 - x0)),
        "touches_border": (np.minimum(y0, x0) < near) | (y1 > runs.shape[0] - near) | (x1 > runs.shape[1] - near),
    }


def _ellipses(
    runs: Runs,
    pixels: npt.NDArray[Any],
    along: npt.NDArray[Any],
    y: npt.NDArray[Any],
    x: npt.NDArray[Any],
    scale: float,
) -> dict[str, npt.NDArray[Any]]:
    dy, dx = runs.y - y[runs.objects], along - x[runs.objects]
    n = runs.lengths.astype(np.float64)
    # Of pixels in a run: their middle's moment and their own about it, n (n^2 - 1) / 12.
    yy, xx, yx = (runs.reduced(each) / pixels for each in (n * dy * dy, n * (dx * dx + (n * n - 1) / 12), n * dy * dx))
    half, apart = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    round_ = apart <= ROUND * half
    apart = np.where(round_, 0, apart)
    large, small = half + apart, np.maximum(half - apart, 0)
    small[small <= ROUND * half] = 0
    with np.errstate(invalid="ignore"):  # a single pixel has no moments
        eccentricity = np.where(large > 0, np.sqrt(1 - small / large), 0)
    return {
        "axis_major_length": 4 * np.sqrt(large) / scale,
        "axis_minor_length": 4 * np.sqrt(small) / scale,
        "orientation": np.where(round_, -np.pi / 4, 0.5 * np.arctan2(2 * yx, yy - xx)),
        "eccentricity": eccentricity,
    }
