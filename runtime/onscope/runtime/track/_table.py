"""All tracks of one place over time, as one table: what the exports and the smoothing work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Table = np.ndarray[Any, np.dtype[Any]]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """A row per object and frame: `frame` counts from 0 on, `y` and `x` are pixels of the raw frame.

    `parent` is the track that divided into this one, the same in all of its rows, or 0: also where the parent is not in
    the table. `label` is the object's value in the frame's label image, 0 where there is none. `columns` are further
    numbers by name. `frames` counts all frames, also those without an object. Rows are in the order of tracks and their
    frames. Make one with `tracks_of` or `tracks_from`.
    """

    frame: Integers
    track: Integers
    parent: Integers
    y: Floats
    x: Floats
    label: Integers
    frames: int
    columns: Mapping[str, Floats] = field(default_factory=dict)
    pixel_size_um: float | None = None
    interval_s: float | None = None

    def __len__(self) -> int:
        return len(self.track)

    @property
    def begins(self) -> npt.NDArray[np.bool_]:
        """Which rows are the first of their track."""
        return np.asarray(np.r_[True, self.track[1:] != self.track[:-1]][: len(self)])

    def only(self, kept: npt.NDArray[np.bool_]) -> Tracks:
        """Some of the rows."""
        columns = {name: values[kept] for name, values in self.columns.items()}
        return tracks_of(
            self.frame[kept],
            {"track": self.track[kept], "parent": self.parent[kept], "y": self.y[kept], "x": self.x[kept]},
            {"label": self.label[kept], **columns},
            frames=self.frames,
            pixel_size_um=self.pixel_size_um,
            interval_s=self.interval_s,
        )


def tracks_of(
    frame: Integers,
    told: Mapping[str, npt.NDArray[Any]],
    objects: Mapping[str, npt.NDArray[Any]] | None = None,
    *,
    frames: int | None = None,
    pixel_size_um: float | None = None,
    interval_s: float | None = None,
) -> Tracks:
    """Tracks from columns of one length: `frame` of each row, `told` by the tracker, and what is known of `objects`.

    Of the objects `label` is taken, and all other columns of numbers; those of the tracker (age, vy ...) too. Raises
    ValueError where a track is twice in a frame.
    """
    track = np.asarray(told["track"], dtype=np.int64)
    order = np.lexsort([frame, track])
    track, frame = track[order], np.asarray(frame, dtype=np.int64)[order]
    if ((np.diff(track) == 0) & (np.diff(frame) == 0)).any():
        raise ValueError("found a track twice in a frame, expected tables of one run and one place: track them apart")
    first = np.flatnonzero(np.r_[True, track[1:] != track[:-1]][: len(track)])
    own = np.repeat(np.asarray(told["parent"], dtype=np.int64)[order][first], np.diff(np.r_[first, len(track)]))
    parent = np.where(np.isin(own, track), own, 0)
    more = {**(objects or {}), **{name: values for name, values in told.items() if name not in ("parent", "row")}}
    label = np.asarray(more.pop("label", np.zeros(len(track))))[order].astype(np.int64)
    y, x = (np.asarray(more.pop(name), dtype=np.float64)[order] for name in "yx")
    columns = {
        name: np.asarray(values)[order].astype(np.float64)
        for name, values in more.items()
        if name != "track" and np.asarray(values).dtype.kind in "biuf"
    }
    last = int(frame.max()) + 1 if len(frame) else 0
    return Tracks(frame, track, parent, y, x, label, max(last, frames or 0), columns, pixel_size_um, interval_s)


def tracks_from(told: Sequence[Table], objects: Sequence[Table] | None = None, **known: Any) -> Tracks:
    """Tracks from what a tracker said, a table for each frame, and the tables that it read.

    `known` are `pixel_size_um` and `interval_s`. The column `row` says whose object a row is.
    """
    from ._columns import TRACK

    rows = np.concatenate([np.zeros(0, TRACK), *told])
    frame = np.repeat(np.arange(len(told)), [len(table) for table in told])
    things: dict[str, npt.NDArray[Any]] = {}
    if objects is not None and len(objects):
        taken = np.concatenate([table[each["row"]] for table, each in zip(objects, told, strict=True)])
        things = {name: taken[name] for name in taken.dtype.names or ()}
    return tracks_of(frame, {name: rows[name] for name in TRACK.names or ()}, things, frames=len(told), **known)
