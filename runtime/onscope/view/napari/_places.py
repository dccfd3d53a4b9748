"""Where pixels lie in napari's world: um (pixels where their size is unknown), 0 at the middle of the first one."""

from __future__ import annotations

from .._values import Rect

Pair = tuple[float, float]


def units(um: float | None) -> tuple[str, str]:
    """Of the rows and columns of all layers, for napari's scale bar."""
    return ("pixel", "pixel") if um is None else ("um", "um")


def placed(rect: Rect, shape: tuple[int, ...], um: float | None) -> tuple[Pair, Pair]:
    """`scale` and `translate` of a picture of (rows, columns, ...) that shows the part `rect` of the raw frame."""
    size = um or 1.0
    steps = ((rect[2] - rect[0]) / shape[0], (rect[3] - rect[1]) / shape[1])
    first = (rect[0] + steps[0] / 2 - 0.5, rect[1] + steps[1] / 2 - 0.5)
    return (steps[0] * size, steps[1] * size), (first[0] * size, first[1] * size)
