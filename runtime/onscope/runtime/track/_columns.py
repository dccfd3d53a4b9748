"""The columns of a table of tracks, and what a tracker reads of a table of objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from ._settings import TrackSettings

Table = np.ndarray[Any, np.dtype[Any]]
Floats = npt.NDArray[np.float64]

COLUMNS: tuple[tuple[str, str], ...] = (
    ("track", "<i8"),  # from 1 on, never given twice
    ("parent", "<i8"),  # the track that divided into this and another one; 0: none
    ("y", "<f8"),  # where the object is, pixels
    ("x", "<f8"),
    ("age", "<i4"),  # frames since the track began
    ("vy", "<f8"),  # pixels per frame
    ("vx", "<f8"),
    ("missed", "<i4"),  # frames that were bridged just before
    ("row", "<i4"),  # of the table that was read
)
"""A row per object, in the order of the table that was read: (name, dtype)."""

TRACK = np.dtype(list(COLUMNS))


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What is known of the objects of one frame, in an order that depends on nothing but their values.

    `order` is the row of each in the table that was read; `places` (n, 2) y and x in pixels; `area` and `intensity`
    (n), NaN where they are not known; `appearance` (n, k) of k columns, 0 of them where there are none; `at_border`
    (n): whether they touch the frame's border.
    """

    order: npt.NDArray[np.intp]
    places: Floats
    area: Floats
    intensity: Floats
    appearance: Floats
    at_border: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.order)

    def only(self, rows: npt.NDArray[np.intp]) -> Detections:
        """Some of them."""
        return Detections(
            self.order[rows],
            self.places[rows],
            self.area[rows],
            self.intensity[rows],
            self.appearance[rows],
            self.at_border[rows],
        )


def read_detections(objects: Table, settings: TrackSettings) -> Detections:
    """The objects of one frame from their table, a structured array with the columns y and x at least.

    Rows are put in order by their values, so that those of equal cost are chosen alike however the table is sorted.
    Raises PipelineError where columns are missing, or a place is no finite number.
    """
    names = objects.dtype.names or ()
    missing = {"y", "x"} - set(names)
    if missing:
        raise PipelineError(
            f"found objects with the columns {', '.join(names) or 'none'}, expected y and x: track a table of places"
        )
    places = np.stack([objects["y"], objects["x"]], axis=1).astype(np.float64)
    if not np.isfinite(places).all():
        raise PipelineError(
            "found an object whose y or x is no finite number, expected a place for each: look at what measured it"
        )
    unknown = np.full(len(objects), np.nan)
    area = objects["area"].astype(np.float64) if "area" in names else unknown
    intensity = _intensity(objects, names, settings)
    looks = sorted(name for name in names if name.startswith("appearance_")) if settings.appearance_weight else []
    appearance = np.zeros((len(objects), len(looks)))
    for column, name in enumerate(looks):
        appearance[:, column] = objects[name]
    at_border = objects["touches_border"].astype(bool) if "touches_border" in names else np.zeros(len(objects), bool)
    keys = [*appearance.T[::-1], intensity, area, places[:, 1], places[:, 0]]
    order = np.lexsort([np.nan_to_num(key) for key in keys])
    return Detections(order, places[order], area[order], intensity[order], appearance[order], at_border[order])


def _intensity(objects: Table, names: tuple[str, ...], settings: TrackSettings) -> Floats:
    if settings.intensity and settings.intensity not in names:
        raise PipelineError(
            f"found objects with the columns {', '.join(names)}, expected {settings.intensity} among them: name one of "
            "them as the tracker's intensity"
        )
    first = next((name for name in names if name.startswith("intensity_mean")), "")
    name = settings.intensity or (first if settings.intensity_weight else "")
    return objects[name].astype(np.float64) if name else np.full(len(objects), np.nan)
