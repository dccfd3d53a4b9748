"""The light dose of each place, as the journal told it while the microscope was there."""

from __future__ import annotations

import numpy as np

from onscope.runtime.feedback.journal import Story

from ._found import Found, column
from ._html import Html, table
from ._words import number

SIDE_UM = 20.0
"""Places within one such square are one."""


def dose_table(found: Found, story: Story) -> Html:
    """The last dose that was told at each place, the largest first; empty where places are not known."""
    curve = story.curves.get("dose_j_cm2")
    received, x, y = (column(found.frames, name) for name in ("received_ns", "stage_x_um", "stage_y_um"))
    if curve is None or not len(received):
        return Html("")
    kept = np.isfinite(received) & np.isfinite(x) & np.isfinite(y)
    received, x, y = received[kept], x[kept], y[kept]
    order = np.argsort(received)
    if not len(order):
        return Html("")
    places: dict[tuple[float, float], tuple[float, int]] = {}
    at = np.searchsorted(received[order], curve.at_ns, side="right") - 1
    for row, dose in zip(np.maximum(at, 0).tolist(), curve.values, strict=True):
        frame = order[row]
        place = tuple(float(np.floor(each[frame] / SIDE_UM) * SIDE_UM) for each in (x, y))
        places[place[0], place[1]] = (dose, places.get((place[0], place[1]), (0.0, 0))[1] + 1)
    rows = [
        [
            f"{number(px, 5)} to {number(px + SIDE_UM, 5)}",
            f"{number(py, 5)} to {number(py + SIDE_UM, 5)}",
            number(dose),
            f"{count:,}",
        ]
        for (px, py), (dose, count) in sorted(places.items(), key=lambda each: -each[1][0])
    ]
    return table(
        "Light dose by place, as it was last told there",
        ["x, µm", "y, µm", "J/cm²", "times told"],
        rows,
        (2, 3),
        most=12,
    )
