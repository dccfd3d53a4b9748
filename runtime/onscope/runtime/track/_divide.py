"""Divisions: a track that goes on, and a new object at its mother's place."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._columns import Detections
from ._costs import Pairs, alike, near
from ._settings import TrackSettings

Table = np.ndarray[Any, np.dtype[Any]]
Indices = npt.NDArray[np.intp]


def divisions(
    mothers: Table,
    going_on: Indices,
    new: Indices,
    number: int,
    reach: float,
    found: Detections,
    settings: TrackSettings,
) -> Pairs:
    """Pairs of mothers (rows of `mothers`, as expected) and new objects (rows of `new`) that may be a daughter.

    `going_on` is the object that each mother was linked to: the other daughter. `reach` is the largest distance of a
    daughter, in pixels.
    """
    where = np.stack([mothers["y"], mothers["x"]], axis=1)
    pairs = near(where, np.full(len(mothers), reach), found.places[new])
    before, one, other = mothers[pairs.tracks], going_on[pairs.tracks], new[pairs.objects]
    old = before["first_frame"] | (number - before["began"] >= settings.min_division_age)
    entered = found.at_border[other]  # it came from outside, as likely as from a mother
    return pairs.only(old & ~entered & alike(found.area[one], found.area[other], settings.min_daughter_ratio))
