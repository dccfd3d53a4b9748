"""The catalogue of systems from the literature: networks with how they are exported, trained, run live and measured.

`python -m onscope.export.zoo.systems` trains, packages and measures them, and writes the gallery's page. A system is a
module with a constant SYSTEM; `_catalogue` knows where it is, `_rows` where it stands in the gallery. What is measured
goes into `quality.json` of its package (`Card`), and is told from there by `onscope models` and the gallery alone.
"""

from __future__ import annotations

from ._card import CARD, PICTURE, Card, Cost, LiveRun
from ._catalogue import MODULES, row_of, system
from ._rows import ROWS, Job, Row
from ._score import Score, over_seeds
from ._system import Live, Measured, System, Training, told

__all__ = [
    "CARD",
    "MODULES",
    "PICTURE",
    "ROWS",
    "Card",
    "Cost",
    "Job",
    "Live",
    "LiveRun",
    "Measured",
    "Row",
    "Score",
    "System",
    "Training",
    "over_seeds",
    "row_of",
    "system",
    "told",
]
