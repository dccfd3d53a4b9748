"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """`calibrating` frames per kind of scene to reduce with, `count` others per kind to measure quality on.

    Speeds are of frames of `size` x `size` pixels, in `rounds` turns of `turn` frames each; `search_s` bounds the
    search for sensitive layers of each variant.
    """

    calibrating: int = 12
    count: int = 5
    size: int = 512
    rounds: int = 12
    turn: int = 6
    search_s: float = 300.0


FULL = Plan()
QUICK = Plan(calibrating=4, count=2, size=256, rounds=4, turn=3, search_s=60.0)
TINY = Plan(calibrating=2, count=1, size=64, rounds=2, turn=2, search_s=20.0)
