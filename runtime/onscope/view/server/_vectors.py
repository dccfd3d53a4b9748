"""What is drawn over pictures: outlines, boxes, spots and the tails of tracks, in raw pixels."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime.objects import polygons

Array = npt.NDArray[Any]
MOST_ROWS = 2000
TAIL = 20
"""Places of a track that are kept."""
MIDDLE = 0.5
"""Tables and outlines count from the middle of the first pixel, pictures from its edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """float32 `points` (n, 2), or (m, 4) of boxes; where each of m lines begins (m + 1), and its table's row (m)."""

    points: Array
    starts: Array | None = None
    rows: Array | None = None


def outlines(labels: Array, table: Array, scale: float) -> Vectors:
    """Of the objects of a label image that have a row; `scale`: pixels of the image per raw pixel."""
    row_of = {int(label): row for row, label in enumerate(table["label"][:MOST_ROWS])}
    found = [(row_of[label], ring) for label, ring in polygons(labels, scale).items() if label in row_of]
    lengths = [len(ring) for _, ring in found]
    return _lines([ring + MIDDLE for _, ring in found], lengths, [row for row, _ in found])


def boxes(table: Array) -> Vectors:
    """Of a table with y0, x0, y1, x1: whole numbers (of measured objects) are edges of pixels, others are places."""
    corners = np.stack([table[name][:MOST_ROWS] for name in ("y0", "x0", "y1", "x1")], axis=1)
    shift = 0.0 if corners.dtype.kind in "iu" else MIDDLE
    return Vectors((corners + shift).astype(np.float32))


def spots(table: Array) -> Vectors:
    """Of a table with y, x."""
    places = np.stack([table["y"][:MOST_ROWS], table["x"][:MOST_ROWS]], axis=1)
    return Vectors((places + MIDDLE).astype(np.float32))


def tails(history: tuple[Array, ...], table: Array) -> Vectors:
    """The last places of the tracks that are in the table; `history`: (track, y, x) of frames, the newest last."""
    held = np.concatenate(history)
    row_of = {int(track): row for row, track in enumerate(table["track"][:MOST_ROWS])}
    held = held[np.isin(held[:, 0], list(row_of))]
    held = held[np.argsort(held[:, 0], kind="stable")]
    tracks, lengths = np.unique(held[:, 0], return_counts=True)
    return _lines([held[:, 1:] + MIDDLE], lengths.tolist(), [row_of[int(track)] for track in tracks])


def _lines(parts: list[Array], lengths: list[int], rows: list[int]) -> Vectors:
    points = np.concatenate([np.zeros((0, 2)), *parts]).astype(np.float32)
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.uint32)
    return Vectors(points, starts, np.array(rows, np.uint32))


class Histories:
    """Where tracks have been, by place of the acquisition and table; bounded in frames, tracks and places."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[Any, tuple[Any, int, deque[Array]]] = {}

    def add(self, place: Any, sequence: Any, number: int, tables: Mapping[str, Array]) -> dict[str, tuple[Array, ...]]:
        """Take note of the tables of a frame; the histories until now, by table.

        Another `sequence` begins anew, and so does a frame whose number there is not above that of the one before.
        """
        found = {}
        for name, table in tables.items():
            if not {"track", "y", "x"} <= set(table.dtype.names or ()):
                continue
            known, last, frames = self._of.pop((place, name), (None, -1, deque[Array](maxlen=TAIL)))
            if known != sequence or number <= last:
                frames = deque(maxlen=TAIL)
            rows = table[:MOST_ROWS]
            frames.append(np.stack([rows["track"], rows["y"], rows["x"]], axis=1).astype(np.float64))
            self._of[place, name] = sequence, number, frames
            found[name] = tuple(frames)
        while len(self._of) > self._most:
            del self._of[next(iter(self._of))]
        return found


def columns(table: Array) -> dict[str, Array]:
    """A table's numbers by column, of at most 2,000 rows."""
    names = table.dtype.names or ()
    return {name: np.ascontiguousarray(table[name][:MOST_ROWS]) for name in names if table.dtype[name].kind in "iufb"}
