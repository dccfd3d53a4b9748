"""Objects to track, made by hand or at random."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from onscope.runtime.track import Tracker, TrackSettings

Table = np.ndarray[Any, np.dtype[Any]]


def objects(places: Any, **columns: Any) -> Table:
    """A table of objects at (y, x) places with further columns."""
    found = np.asarray(places, dtype=np.float64).reshape(-1, 2)
    table = np.zeros(len(found), [("y", "f8"), ("x", "f8"), *((name, "f8") for name in columns)])
    table["y"], table["x"] = found.T
    for name, values in columns.items():
        table[name] = values
    return table


def tracked(frames: Iterable[Any], numbers: Sequence[int] | None = None, **settings: Any) -> list[Table]:
    """What a new tracker says of these frames, tables or places."""
    tracker = Tracker(TrackSettings(**settings))
    tables = [frame if getattr(frame, "dtype", np.dtype(int)).names else objects(frame) for frame in frames]
    return [tracker.update(n, table) for n, table in zip(numbers or range(len(tables)), tables, strict=True)]


def wanderers(rng: np.random.Generator, count: int, frames: int, side: float, step: float, seen: float = 1.0) -> Any:
    """Frames of (places, who): `count` random walkers in a square, each seen with a probability of `seen`."""
    where = rng.uniform(0, side, (count, 2))
    for _ in range(frames):
        here = np.flatnonzero(rng.random(count) < seen)
        order = rng.permutation(here)
        yield where[order].copy(), order
        where += rng.normal(0, step, where.shape)
