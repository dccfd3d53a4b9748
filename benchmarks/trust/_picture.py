"""ROC curves of all kinds of frames and answers, and how much is flagged, in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from onscope.runtime.drawing import FAINT, LINE, PANEL, SERIES, TEXT, Canvas
from onscope.runtime.trust import SUSPICION

from .._rows import Row
from ._found import BASES

COLUMNS, CELL, HEAD, GAP, EDGE = 7, 236, 58, 12, 28
TITLES = {"own": "Limits of 40 own frames (onscope trust)", "recipe": "Limits as shipped: all that the training draws"}


def draw(rows: Sequence[Row], path: Path) -> None:
    """Panels by kind, in two blocks by kind of limits; the white line is the worst value of each frame."""
    shown = {base: [row for row in rows if row.detail.get("limits") == base and "roc" in row.detail] for base in BASES}
    names = [name for name in next(row for row in rows if "roc" in row.detail).detail["roc"] if name != SUSPICION]
    lines = {base: -(-len(found) // COLUMNS) for base, found in shown.items()}
    block = CELL + HEAD + GAP
    canvas = Canvas(2 * EDGE + COLUMNS * (CELL + GAP) - GAP, 70 + sum(50 + count * block for count in lines.values()))
    canvas.text(EDGE, 16, "What trust values find: care-beads on frames and answers that are not as usual", 22)
    x = float(EDGE)
    for number, name in enumerate([*names, "worst of all"]):
        colour = SERIES[number % len(SERIES)] if name in names else TEXT
        x += canvas.text(x, 46, name, 15, colour) + 22
    canvas.text(canvas.width - EDGE, 48, "ROC: found over false alarms, both 0 to 1", 13, FAINT, "right")
    top = 76.0
    for base, found in shown.items():
        canvas.text(EDGE, top + 8, TITLES[base], 18)
        for at, row in enumerate(found):
            left = EDGE + (at % COLUMNS) * (CELL + GAP)
            _panel(canvas, left, top + 42 + (at // COLUMNS) * block, row, names)
        top += 50 + lines[base] * block
    canvas.save(path)


def _panel(canvas: Canvas, x: float, y: float, row: Row, names: Sequence[str]) -> None:
    canvas.box(x, y, CELL, CELL + HEAD, PANEL, 8)
    canvas.text(x + 10, y + 8, row.detail["kind"], 14, width=CELL - 20)
    mean, flagged = np.mean(row.detail["auc"][SUSPICION]), row.detail["flagged"][SUSPICION]
    canvas.text(x + 10, y + 29, f"AUC {mean:.2f}, flagged {100 * flagged:.0f} %", 13, FAINT)
    left, bottom, side = x + 14, y + HEAD + CELL - 12, CELL - 28
    canvas.frame(left, bottom - side, side, side, LINE, 1)
    canvas.line(left, bottom, left + side, bottom - side)
    for number, name in enumerate([*names, SUSPICION]):
        colour = TEXT if name == SUSPICION else SERIES[number % len(SERIES)]
        points = row.detail["roc"][name]
        places = [(left + side * at / (len(points) - 1), bottom - side * value) for at, value in enumerate(points)]
        places = [(left, bottom), *places]
        for (x0, y0), (x1, y1) in pairwise(places):
            canvas.line(x0, y0, x1, y1, colour, 3 if name == SUSPICION else 2)
