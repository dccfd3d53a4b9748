"""Pictures of what systems do: rows of titled images side by side, and curves of trainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime.drawing import ACCENT, FAINT, LINE, PANEL, TEXT, Canvas, Look, render

Array = npt.NDArray[Any]
TILE, GAP, MARGIN, TITLE = 300, 12, 20, 26


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """An image (y, x) with its title; int32 images are labels. `look` says what is black and white (None: its own).

    `note` stands below the title in small letters, such as "28.1 dB".
    """

    title: str
    image: Array
    note: str = ""
    look: Look | None = None


def sheet(heading: str, rows: Sequence[Sequence[Tile]], file: Path) -> None:
    """Draw the rows into a .jpg or .png file; tiles are `TILE` pixels wide."""
    heights = [max(round(TILE * one.image.shape[0] / one.image.shape[1]) for one in row) for row in rows]
    width = 2 * MARGIN + max(len(row) for row in rows) * (TILE + GAP) - GAP
    canvas = Canvas(width, 60 + sum(heights) + len(rows) * (TITLE + GAP + 18) + MARGIN)
    canvas.text(MARGIN, 16, heading, 20, TEXT)
    top = 60
    for row, height in zip(rows, heights, strict=True):
        for place, one in enumerate(row):
            left = MARGIN + place * (TILE + GAP)
            canvas.text(left, top, one.title, 15, TEXT)
            canvas.text(left, top + 20, one.note, 13, FAINT)
            own = round(TILE * one.image.shape[0] / one.image.shape[1])
            canvas.image(left, top + TITLE + 14, render(one.image, one.look or Look.of(one.image), TILE, own))
        top += height + TITLE + GAP + 18
    canvas.save(file)


def curve(heading: str, losses: Sequence[float], file: Path) -> None:
    """The mean loss over each part of a training as a PNG."""
    values = np.asarray(losses, np.float64)
    width, height, left, top = 640, 260, 70, 50
    canvas = Canvas(width, height)
    canvas.text(MARGIN, 14, heading, 16, TEXT)
    across, down = width - left - MARGIN, height - top - 40
    canvas.box(left, top, across, down, PANEL)
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    places = left + (np.arange(len(values)) + 0.5) / len(values) * across
    levels = top + (high - values) / span * (down - 20) + 10
    for value, level in ((high, top + 10.0), (low, top + down - 10.0)):
        canvas.line(left, level, left + across, level, LINE)
        canvas.text(8, level - 9, f"{value:.3g}", 13, FAINT)
    for (x0, y0), (x1, y1) in pairwise(zip(places, levels, strict=True)):
        canvas.line(x0, y0, x1, y1, ACCENT, 2)
    canvas.text(left, height - 30, f"mean loss over each of {len(values)} equal parts of the training", 13, FAINT)
    canvas.save(file)
