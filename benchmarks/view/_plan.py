"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Throughput: `rounds` of runs of `seconds` each, of `size` x `size` pixels, with as many `viewers` as there are
    numbers, of which `slow` (at most half) take their time. Age: `aged` frames of `aged_size` at `fps`. Viewers ask for
    pictures of `shown` x `shown` pixels."""

    rounds: int = 12
    seconds: float = 8.0
    size: int = 512
    viewers: tuple[int, ...] = (1, 10)
    slow: int = 4
    aged: int = 900
    aged_size: int = 256
    fps: float = 30.0
    shown: int = 512


FULL = Plan()
QUICK = Plan(rounds=2, seconds=3.0, aged=90)
TINY = Plan(rounds=1, seconds=0.5, size=64, viewers=(2,), slow=1, aged=5, aged_size=64, shown=32)
