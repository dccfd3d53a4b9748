"""A picture of what is found: frames with the true outlines and those of each way to find them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._live_path import FRESH
from .._sheet import Tile, sheet
from ._measured import Finder, compared, fields

Array = npt.NDArray[Any]
SHOWN = (("dividing-cells", 0), ("rare-event", 0), ("as in training", 1), ("dying cells", 1))
"""Kinds of fields, and which specimen of each."""
SIDE = 256


def picture(heading: str, finders: Mapping[str, Finder], file: Path, first: int = FRESH) -> None:
    """Write it into a .jpg: a row per field, the frame, the truth and what each of `finders` says."""
    rows = []
    for kind, number in SHOWN:
        field = fields(kind, number + 1, first)[number][-1]
        tiles = [Tile(kind, _middle(field.counts)), Tile("truth", _middle(field.labels), _counted(field.labels))]
        for name, find in finders.items():
            (found,) = find([field])
            told = compared(field.labels, found)
            tiles.append(Tile(name, _middle(found), f"F1 {told.instances.f1(0.5):.2f}, {_counted(found)}"))
        rows.append(tiles)
    sheet(heading, rows, file)


def _counted(labels: Array) -> str:
    return f"{len(np.unique(labels[labels > 0]))} in the whole frame"


def _middle(image: Array) -> Array:
    rows, columns = (slice((n - min(SIDE, n)) // 2, (n + min(SIDE, n)) // 2) for n in image.shape)
    return np.ascontiguousarray(image[rows, columns])
