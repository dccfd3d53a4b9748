"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Of each kind of frames `count` in each of `seeds` independent draws, `size` x `size` pixels; of own good frames
    `own` say what is usual. Costs are of `cost_size` pixels, over `rounds`."""

    count: int = 40
    seeds: int = 5
    own: int = 40
    size: int = 256
    cost_size: int = 512
    rounds: int = 60


FULL = Plan()
QUICK = Plan(count=20, seeds=2, rounds=20)
TINY = Plan(count=4, seeds=2, own=8, size=128, cost_size=128, rounds=3)
