"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`frames` of `size` x `size` uint16, one every `exposure_ms`, with a buffer of `buffer_mb` megabytes."""

    size: int
    frames: int
    exposure_ms: float
    buffer_mb: int = 256


@dataclass(frozen=True)
class Plan:
    """The cases, each for every hook."""

    cases: tuple[Case, ...]


FULL = Plan((Case(512, 1000, 10.0), Case(2048, 160, 50.0)))
QUICK = Plan((Case(512, 300, 10.0),))
TINY = Plan((Case(64, 60, 2.0),))
