"""Tracks of the last frames, as napari's layer of tracks takes them, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._wire import Array

MOST_FRAMES = 60
MOST_PLACES = 20_000
"""napari sorts and checks all places anew with every update, some milliseconds for ten thousand."""


class History:
    """The places of the last `frames` frames that were shown, of one camera's segment; a new segment begins anew."""

    def __init__(self, frames: int = MOST_FRAMES, places: int = MOST_PLACES) -> None:
        self._kept: deque[tuple[int, Array]] = deque(maxlen=frames)
        self._most = places
        self._parents: dict[int, int] = {}
        self._of: tuple[Any, ...] = ()

    def add(self, frame: Mapping[str, Any], columns: Mapping[str, Array]) -> bool:
        """Take a frame's table in (`track`, `y`, `x`, `parent` where it has one); whether it was a newer frame's."""
        of = tuple(frame.get(name) for name in ("run", "camera", "segment"))
        number = int(frame.get("seq", 0))
        if of != self._of or (self._kept and number < self._kept[-1][0]):
            self._kept.clear()
            self._parents.clear()
            self._of = of
        if self._kept and number == self._kept[-1][0]:
            return False
        track = np.asarray(columns["track"], np.float64)
        rows = np.stack([track, np.full(len(track), number), columns["y"], columns["x"]], axis=1).astype(np.float64)
        self._kept.append((number, rows))
        while len(self._kept) > 1 and sum(len(each) for _, each in self._kept) > self._most:
            self._kept.popleft()
        if "parent" in columns:
            self._parents |= {int(one): int(of) for one, of in zip(track, columns["parent"], strict=True) if of > 0}
        return True

    @property
    def newest(self) -> int:
        """The number of the newest frame; 0 when there is none."""
        return self._kept[-1][0] if self._kept else 0

    def data(self) -> tuple[Array, dict[int, list[int]]]:
        """(n, 4) track, frame, y, x in pixels, by track and frame; the mothers of daughters, where both are there."""
        rows = np.concatenate([np.zeros((0, 4)), *(each for _, each in self._kept)])
        rows = rows[np.lexsort([rows[:, 1], rows[:, 0]])]
        there = {int(track) for track in np.unique(rows[:, 0])}
        self._parents = {one: of for one, of in self._parents.items() if one in there}
        return rows, {one: [of] for one, of in self._parents.items() if of in there}
