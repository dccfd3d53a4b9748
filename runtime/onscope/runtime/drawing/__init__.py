"""Pictures of what was done: a dark sheet with text, bars and images, and scientific images for the eye."""

from ._canvas import (
    ACCENT,
    BAD,
    FAINT,
    GOOD,
    LINE,
    PANEL,
    PAPER,
    SERIES,
    TEXT,
    WARM,
    Canvas,
    Colour,
    ring_marks,
)
from ._render import Look, busiest, render
from ._trails import trails

__all__ = [
    "ACCENT",
    "BAD",
    "FAINT",
    "GOOD",
    "LINE",
    "PANEL",
    "PAPER",
    "SERIES",
    "TEXT",
    "WARM",
    "Canvas",
    "Colour",
    "Look",
    "busiest",
    "render",
    "ring_marks",
    "trails",
]
