"""What is asked of a sample, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence


def check_dye(dye: str, dyes: Sequence[str]) -> None:
    """Raises KeyError for a dye that the sample has not."""
    if dye not in dyes:
        raise KeyError(f"found dye {dye!r}, expected one of {', '.join(dyes)}")


def check_time(to_s: float, now_s: float, why: str) -> None:
    """Raises ValueError for a time that is past, endless or no number; `why` it cannot be."""
    if not now_s <= to_s < math.inf:
        raise ValueError(f"found time {to_s} s, expected {now_s} s or later: {why} cannot go back")
