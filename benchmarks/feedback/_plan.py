"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """`actions` of each way of running, each of a frame of `size` x `size` pixels, one every `interval_ms`; `kills` of
    each kind."""

    actions: int = 400
    size: int = 512
    interval_ms: float = 60.0
    kills: int = 20


FULL = Plan()
QUICK = Plan(actions=60, kills=3)
TINY = Plan(actions=4, size=64, kills=1)
