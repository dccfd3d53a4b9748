"""At which heights above the coverslip a cell's structures lie, as shares of the planes that are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PLANES_UM = (0.15, 1.0, 3.0, 6.0, 10.0)
"""Heights of the drawn planes in um: close together where total internal reflection and flat cells need it."""

# Chosen: (height in um of a flat cell of 4 um mean height, share) and (height in ball radii of a round one, share).
_FLAT: dict[str, tuple[tuple[float, float], ...]] = {
    "nucleus": ((1.8, 0.25), (3.0, 0.5), (4.2, 0.25)),
    "cytoplasm": ((0.15, 0.06), (1.0, 0.44), (2.6, 0.35), (4.5, 0.15)),
    "membrane": ((0.1, 0.45), (1.0, 0.2), (3.0, 0.25), (5.0, 0.1)),
    "mitochondria": ((0.7, 0.3), (1.6, 0.45), (3.0, 0.25)),
    "filaments": ((0.1, 0.6), (0.7, 0.25), (3.0, 0.15)),
}
_SHELL = ((0.1, 0.1), (0.5, 0.25), (1.0, 0.3), (1.5, 0.25), (1.9, 0.1))
_BALL: dict[str, tuple[tuple[float, float], ...]] = {
    "nucleus": ((0.65, 0.25), (1.0, 0.5), (1.35, 0.25)),
    "cytoplasm": ((0.4, 0.25), (1.0, 0.5), (1.6, 0.25)),
    "membrane": _SHELL,
    "mitochondria": ((0.5, 0.25), (1.0, 0.5), (1.5, 0.25)),
    "filaments": _SHELL,
}


def flat_shares(dye: str) -> Array:
    """How much of a dye lies in each of `PLANES_UM` in a flat cell: (planes,), sums to 1.

    What lies between two planes is shared so that its mean height stays; above the last plane it is the last one's.
    """
    heights, parts = np.array(_FLAT[dye]).T
    return np.asarray(parts @ _between(heights))


def ball_shares(dye: str, ball_um: Array) -> Array:
    """The same for round cells with balls of radius `ball_um` (N,): (N, planes), rows sum to 1."""
    out = np.zeros((len(ball_um), len(PLANES_UM)))
    for radii, part in _BALL[dye]:
        out += part * _between(radii * ball_um)
    return out


def middle_um(spread: Array, ball_um: Array) -> Array:
    """Height of the middle of the nucleus in um, (N,)."""
    return np.asarray(3.0 * spread + ball_um * (1 - spread))


def _between(height: Array) -> Array:
    planes = np.array(PLANES_UM)
    held = np.clip(height, planes[0], planes[-1])
    upper = np.clip(np.searchsorted(planes, held), 1, len(planes) - 1)
    part = (held - planes[upper - 1]) / (planes[upper] - planes[upper - 1])
    out = np.zeros((len(height), len(planes)))
    rows = np.arange(len(height))
    out[rows, upper - 1] = 1 - part
    out[rows, upper] += part
    return out
