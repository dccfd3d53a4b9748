"""Trust over a run: how suspicious each result was, stage by stage, in the overview."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..drawing import BAD, FAINT, LINE, PANEL, SERIES, TEXT, Canvas
from ..trust import SUSPICION
from ._reader import RecordedRun

HEIGHT = 190
HEAD = 44
HIGHEST = 4.0
"""What is more suspicious is drawn here."""


def suspicions(run: RecordedRun) -> dict[str, npt.NDArray[np.float64]]:
    """How suspicious each result was by stage, in their order; stages without limits are left out."""
    if "values" not in run.manifest["tables"]:
        return {}
    import pyarrow.compute as pc

    table = run.table("values")
    table = table.filter(pc.and_(pc.equal(table["kind"], "trust"), pc.equal(table["name"], SUSPICION)))
    stages = dict.fromkeys(table["stage"].to_pylist())
    return {name: table.filter(pc.equal(table["stage"], name))["value"].to_numpy() for name in stages}


def trust_chart(
    canvas: Canvas, x: float, y: float, width: float, height: float, found: dict[str, npt.NDArray[Any]]
) -> None:
    """A strip per stage side by side: a dot per result, above the line what is suspect."""
    canvas.box(x, y, width, height, PANEL, 10)
    canvas.text(x + 18, y + 12, "Trust", 19)
    words = "the worst value of each result; above 1 it is beyond what is usual for the package"
    canvas.text(x + 82, y + 17, words, 13, FAINT, width=width - 100)
    each = (width - 36) / len(found)
    for number, (name, values) in enumerate(found.items()):
        left, right = x + 18 + number * each + 30, x + 18 + (number + 1) * each - 14
        top, bottom = y + HEAD + 26, y + height - 16
        suspect = int((values > 1).sum())
        canvas.text(left, y + HEAD, name, 15, SERIES[number % len(SERIES)], width=each / 2)
        told = f"{suspect:,} of {len(values):,} suspect"
        canvas.text(right, y + HEAD, told, 15, BAD if suspect else TEXT, "right")

        def level(value: float, top: float = top, bottom: float = bottom) -> float:
            # The square root leaves room below the line, where nearly all are.
            return float(bottom - (bottom - top) * np.sqrt(min(max(value, 0.0), HIGHEST) / HIGHEST))

        for mark in (0, 1, HIGHEST):
            canvas.line(left, level(mark), right, level(mark), FAINT if mark == 1 else LINE)
            canvas.text(left - 8, level(mark) - 8, f"{mark:g}", 13, FAINT, "right")
        step = (right - left) / max(1, len(values))
        dot = 5 if step > 8 else 3
        for at, value in enumerate(values):
            colour = BAD if value > 1 else SERIES[number % len(SERIES)]
            canvas.box(left + (at + 0.5) * step - dot // 2, level(value) - dot // 2, dot, dot, colour)
