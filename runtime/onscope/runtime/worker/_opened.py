"""What a lane's stages answer, as the acquisition process is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..graph import Calibration, load_calibration


@dataclass(frozen=True, slots=True)
class StageAnswer:
    """What one stage answers: `shape` is the largest it can be; `columns` (of a table) empty for an image.

    `graph` is the sha256 of the compiled graph that it comes from. Where a table's columns have dtypes of their own,
    `dtypes` are these, and `shape` has the rows alone.
    """

    stage: str
    shape: tuple[int, ...]
    dtype: str
    axes: str
    columns: tuple[str, ...]
    provider: str
    graph: str
    dtypes: tuple[str, ...] = ()


def dtype_of(dtype: str, columns: Sequence[str], dtypes: Sequence[str]) -> np.dtype[Any]:
    """The dtype of an answer's elements: a structured one where its columns have dtypes of their own."""
    return np.dtype(list(zip(columns, dtypes, strict=True)) if dtypes else dtype)


def as_table(array: npt.NDArray[Any], columns: Sequence[str]) -> npt.NDArray[Any]:
    """A (rows, columns) array of one dtype as a structured one: `table["y"]`, `len(table)`; the same memory."""
    if array.dtype.names is not None:
        return array
    dtype = np.dtype([(name, array.dtype) for name in columns])
    return np.ascontiguousarray(array).view(dtype).reshape(array.shape[0])


def calibration_of(message: Mapping[str, Any]) -> Calibration | None:
    """The camera's calibration for frames of a message's spec, which may be a `region` of the camera's."""
    if message["calibration"] is None:
        return None
    whole, region = load_calibration(Path(message["calibration"])), message.get("region")
    return whole if region is None else whole.cropped(*region)


PLACES = {"y": 0, "y0": 0, "y1": 0, "x": 1, "x0": 1, "x1": 1}
"""Columns that are places in an image, and along which of its axes."""


def pixels_per_raw(shape: Sequence[int], raw: Sequence[int]) -> tuple[float, float]:
    """Pixels of an image that covers the raw frame per pixel of that, along y and x."""
    return shape[0] / raw[0], shape[1] / raw[1]


def in_raw_pixels(table: npt.NDArray[Any], columns: Sequence[str], per_raw: tuple[float, float]) -> npt.NDArray[Any]:
    """A table (rows, columns) of a stage that reads an image of another size than the frame, in the frame's pixels.

    Whole places are the middles of pixels in both.
    """
    places = {at: per_raw[PLACES[name]] for at, name in enumerate(columns) if name in PLACES}
    if per_raw == (1.0, 1.0) or not places:
        return table
    made = table.copy()
    for at, factor in places.items():
        made[:, at] = (made[:, at] + 0.5) / factor - 0.5
    return made
