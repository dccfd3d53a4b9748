"""The picture of the classifier's quality: how each class is told, and crops of it, right ones and wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime.drawing import ACCENT, BAD, FAINT, LINE, PANEL, TEXT, Canvas, Look, render

from ._crops import NAMES, Crop
from ._mitosis_quality import Judged

Array = npt.NDArray[Any]

WIDTH, MARGIN, HEADER = 1500, 32, 96
CELL, LABEL = 86, 118
TILE, GAP = 84, 4
RIGHT, WRONG = 6, 3
"""Crops that are shown of each class."""


def draw(one: Judged, crops: list[Crop], path: Path) -> None:
    """Write the PNG: the confusion of all classes, and beside it crops drawn at random from each."""
    step = TILE + GAP
    canvas = Canvas(WIDTH, HEADER + 40 + len(NAMES) * step + 48)
    canvas.text(MARGIN, 22, "mitosis-cells: crops of specimens that training never saw", 26, TEXT)
    numbers = f"{one.accuracy:.1%} told right, calibration error {one.calibration_error:.3f}"
    canvas.text(MARGIN, 58, f"{len(crops):,} crops, classes alike: {numbers}", 16, FAINT)
    _confusion(canvas, one, MARGIN, HEADER, step)
    left = MARGIN + LABEL + len(NAMES) * CELL + 40
    canvas.text(left, HEADER + 6, f"told right, {RIGHT} at random", 16, FAINT)
    canvas.text(left + RIGHT * step + 24, HEADER + 6, f"told wrong, {WRONG} at random", 16, FAINT)
    rng = np.random.default_rng(1)
    for number in range(len(NAMES)):
        y = HEADER + 40 + number * step
        own = one.names == number
        right = rng.permutation(np.flatnonzero(own & (one.told == number)))[:RIGHT]
        wrong = rng.permutation(np.flatnonzero(own & (one.told != number)))[:WRONG]
        for place, row in enumerate(right):
            canvas.image(left + place * step, y, _tile(crops[row].pixels))
        for place, row in enumerate(wrong):
            x = left + RIGHT * step + 24 + place * step
            canvas.image(x, y, _tile(crops[row].pixels))
            canvas.box(x, y + TILE - 20, TILE, 20, PANEL)
            canvas.text(x + TILE / 2, y + TILE - 18, NAMES[one.told[row]], 13, BAD, "middle")
            canvas.frame(x, y, TILE, TILE, BAD, 2)
    canvas.save(path)


def _confusion(canvas: Canvas, one: Judged, x: int, y: int, step: int) -> None:
    shares = one.confusion / one.confusion.sum(axis=1, keepdims=True)
    canvas.text(x, y + 6, "truth, told as:", 16, FAINT)
    for column, name in enumerate(NAMES):
        canvas.text(x + LABEL + (column + 0.5) * CELL, y + 10, name, 14, FAINT, "middle")
    paper, accent = np.array(PANEL), np.array(ACCENT)
    for row, name in enumerate(NAMES):
        top = y + 40 + row * step
        canvas.text(x, top + TILE / 2 - 9, name, 16, TEXT)
        for column in range(len(NAMES)):
            share = float(shares[row, column])
            red, green, blue = (int(v) for v in paper + (accent - paper) * share**0.6 * 0.8)
            left = x + LABEL + column * CELL
            canvas.box(left, top, CELL - GAP, TILE, (red, green, blue), 4)
            dark = share > 0.5
            canvas.text(left + CELL / 2 - 2, top + TILE / 2 - 11, f"{share:.1%}", 18, PANEL if dark else TEXT, "middle")
    canvas.line(x + LABEL - 8, y + 36, x + LABEL + len(NAMES) * CELL, y + 36, LINE)


def _tile(pixels: Array) -> Array:
    low, high = np.percentile(pixels[16:-16, 16:-16], (1, 99.8))
    low = min(low, float(np.percentile(pixels, 5)))
    return render(pixels, Look(float(low), float(max(high, low + 1)), False), TILE, TILE)
