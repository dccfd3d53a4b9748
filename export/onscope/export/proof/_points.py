"""Points of network and export that belong together."""

from __future__ import annotations

from dataclasses import dataclass

from .._agreement import Points, near_pairs, points_of
from .._original import Array
from ._answers import Answers

MATCH_PX = 1.0


@dataclass(frozen=True, eq=False)
class Matched:
    """The points that count, and which of them are pairs.

    Places `left[i]` of the network (`first`) and `right[i]` of the export (`second`) are at most MATCH_PX apart.
    """

    first: Points
    second: Points
    left: Array
    right: Array


def matched_rows(one: Answers) -> Matched:
    """The points from the threshold on (without one: above 0), paired so that as many as possible are, each once."""
    columns, threshold = list(one.settings["columns"]), one.settings.get("threshold")
    first, second = (points_of(rows, columns, threshold) for rows in one.whole)
    left, right, _ = near_pairs(first.places, second.places, MATCH_PX)
    return Matched(first, second, left, right)
