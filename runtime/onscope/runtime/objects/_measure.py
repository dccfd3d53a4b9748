"""The table of the objects of a label image: a row each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from ._asked import asked, check_asked
from ._intensity import STATISTICS, fitted, intensities
from ._runs import Runs
from ._shape import COLUMNS, shapes

MICROMETRES = ("y_um", "x_um", "area_um2")


def measured_columns(intensity: Sequence[str] = (), columns: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Names and dtypes of all columns of `measure`, with the names of the intensity images and of what is asked for."""
    return [
        *COLUMNS,
        *((name, "float32") for name in columns),
        *((f"intensity_{what}_{name}", "float32") for name in intensity for what in STATISTICS),
        *((name, "float32") for name in MICROMETRES),
    ]


def measure(
    labels: npt.NDArray[Any],
    intensity: Mapping[str, npt.NDArray[Any]] | None = None,
    pixel_size_um: float | None = None,
    scale: float = 1.0,
    columns: Sequence[str] = (),
) -> npt.NDArray[np.void]:
    """A structured array with the columns `measured_columns(intensity, columns)`, a row per object by rising label.

    `labels` (y, x), whole numbers, 0: no object. `intensity` are images (y, x) of the same field by name; where one has
    other pixels than `labels`, a label pixel has the value of the pixel under it, or the mean of those in it. `scale`:
    label pixels per pixel of the raw frame; coordinates, lengths and areas are told in raw pixels, the centre of the
    first one being (0, 0). `pixel_size_um` is that of the raw frame; without it columns in micrometres are NaN.
    `columns` are those of `ASKED` to be measured as well. An empty image has no rows. Raises PipelineError when an
    image is none of labels or of intensities.
    """
    check_scale(scale)
    check_asked(columns)
    images = {name: fitted(image, labels.shape[:2], name) for name, image in (intensity or {}).items()}
    runs = Runs.of(labels)
    values = shapes(runs, scale) | asked(runs, labels, columns, scale)
    inside = labels != 0
    for name, image in images.items():
        values |= {f"intensity_{what}_{name}": each for what, each in intensities(runs, inside, image).items()}
    size = np.nan if pixel_size_um is None else pixel_size_um
    values |= {"y_um": values["y"] * size, "x_um": values["x"] * size, "area_um2": values["area"] * size**2}
    table = np.empty(len(runs.labels), np.dtype(measured_columns(list(images), columns)))
    with np.errstate(over="ignore"):  # intensities that float32 does not hold
        for name, column in values.items():
            table[name] = column
    return table


def check_scale(scale: float) -> None:
    """Raise PipelineError unless labels can have that many pixels per raw pixel."""
    if not (np.isfinite(scale) and scale > 0):
        raise PipelineError(f"found labels of {scale} pixels per raw pixel, expected a number above 0")
