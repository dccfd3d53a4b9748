"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._rare_use import RarePlan, Use


@dataclass(frozen=True)
class Plan:
    """`actions` of each way of running, each of a frame of `size` x `size` pixels, one every `interval_ms`; `kills` of
    each kind; `rare`: of rare events."""

    actions: int = 400
    size: int = 512
    interval_ms: float = 60.0
    kills: int = 20
    rare: RarePlan = field(default_factory=RarePlan)


FULL = Plan()
QUICK = Plan(actions=60, kills=3, rare=RarePlan(2, 1, Use(320, 1.0), False))
TINY = Plan(actions=4, size=64, kills=1, rare=RarePlan(1, 1, Use(160, 0.4), False))
