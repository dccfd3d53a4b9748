"""Which places of a network's output are looked at as centres of star-convex objects, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Border = tuple[tuple[int, int], ...]
"""Places at each end of each axis whose probability does not count."""


def border(b: Any, axes: int) -> Border:
    """BioImage.IO's `b`: one number for all sides, or a pair for each axis."""
    if isinstance(b, int):
        return ((b, b),) * axes
    return tuple((int(low), int(high)) for low, high in b)


def ranked(
    probability: npt.NDArray[np.float32], least: float, around: Border, most: int
) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Flat places of more than `least` within the border, the most probable first; at most `most`, which is told."""
    inner: Sequence[slice] = [
        slice(low, size - high) for (low, high), size in zip(around, probability.shape, strict=True)
    ]
    candidates = np.zeros(probability.shape, bool)
    candidates[tuple(inner)] = probability[tuple(inner)] > least
    places = np.flatnonzero(candidates)
    order = np.argsort(-probability.ravel()[places], kind="stable")
    told = []
    if len(order) > most:
        told = [f"{len(order)} candidates for star-convex objects: the {most} most probable were looked at"]
    return places[order[:most]], told
