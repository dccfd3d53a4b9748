"""A picture of lineages: channels over time, bacteria in the colour of their track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime.drawing import Look

from .._sheet import Tile, sheet
from ._mother_machines import Movie

Array = npt.NDArray[Any]


def draw(seen: Movie, results: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Frames, found bacteria by their first ancestor, and the true ones likewise, of the stages of delta-track."""
    frames, own, true = [], [], []
    roots: dict[int, int] = {}
    for result in results:
        labels, cells, lineage = (np.asarray(result[name]) for name in ("bacteria", "cells", "lineage"))
        for row in lineage:
            roots.setdefault(int(row["track"]), roots.get(int(row["parent"]), int(row["track"])))
        table = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
        table[cells["label"]] = [roots[int(track)] for track in lineage["track"]]
        own.append(table[labels])
    for time, labels in enumerate(seen.labels):
        frames.append(seen.frames[time])
        true.append(_true_roots(seen, time)[labels])
    part = slice(140, 400), slice(60, 290)
    rows = [
        [
            Tile(f"{name}, frame {time + 1}", np.ascontiguousarray(image[part]), look=Look.of(image, glow=False))
            for time, image in enumerate(images)
        ]
        for name, images in (("phase contrast", frames), ("DeLTA", own), ("truth", true))
    ]
    sheet(
        "DeLTA on a held-out mother machine, every 3 minutes: one colour per family", [row[::2] for row in rows], file
    )


def _true_roots(seen: Movie, time: int) -> Array:
    """By label of a frame the row of its first ancestor, from 1."""
    lineage = seen.lineage
    origin = np.arange(len(lineage.frame))
    for before, after in lineage.edges[np.argsort(lineage.frame[lineage.edges[:, 1]], kind="stable")].tolist():
        origin[after] = origin[before]
    table = np.zeros(int(lineage.label.max(initial=0)) + 1, np.int32)
    rows = lineage.frame == time
    table[lineage.label[rows]] = origin[rows] + 1
    return table
