"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = ("trip", "process", "flight", "clients", "classes")


@dataclass(frozen=True)
class Plan:
    """`sides` of the frames in pixels; `windows` of each round, of which there are `rounds`; windows on their way at
    once in `flights`; `scopes` at once, each at `fps` for `seconds`."""

    sides: tuple[int, ...]
    windows: int
    rounds: int
    flights: tuple[int, ...]
    scopes: tuple[int, ...]
    fps: float
    seconds: float


FULL = Plan((512, 1024), 150, 3, (1, 2, 4, 8, 16), (1, 2, 4), 25.0, 6.0)
QUICK = Plan((512,), 60, 2, (1, 4, 16), (1, 2), 20.0, 3.0)
TINY = Plan((64,), 12, 1, (1, 2), (1, 2), 20.0, 0.5)
