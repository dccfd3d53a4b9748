"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """`pairs` of runs of `frames` frames of `size` x `size` pixels, with `viewers` and without; `aged` frames whose
    pictures are timed, at `fps`; viewers ask for `shown` x `shown` pixels."""

    pairs: int = 10
    frames: int = 600
    size: int = 1024
    viewers: int = 10
    aged: int = 600
    fps: float = 30.0
    shown: int = 512


FULL = Plan()
QUICK = Plan(pairs=3, frames=150, aged=90)
TINY = Plan(pairs=1, frames=10, size=64, viewers=2, aged=5, shown=32)
