"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Submit:
    """Cameras of `size` x `size` uint16 at `rate` frames per second (0: as fast as it goes)."""

    size: int
    rate: float
    frames: int


@dataclass(frozen=True)
class Plan:
    """Sizes in pixels, counts in frames. Rounds alternate between what is compared."""

    submits: tuple[Submit, ...]
    size: int = 512
    rounds: int = 8
    frames: int = 14
    live_rounds: int = 6
    busy_frames: int = 12
    busy_rounds: int = 3
    kills: int = 4
    memory_frames: int = 3000
    memory_size: int = 128


FULL = Plan((Submit(512, 100, 800), Submit(512, 0, 6000), Submit(2048, 100, 400), Submit(2048, 0, 1000)))
QUICK = Plan(
    (Submit(512, 100, 200), Submit(512, 0, 2000), Submit(2048, 100, 100), Submit(2048, 0, 200)),
    rounds=2,
    frames=8,
    live_rounds=1,
    busy_frames=6,
    busy_rounds=1,
    kills=1,
    memory_frames=300,
)
TINY = Plan(
    (Submit(64, 500, 20), Submit(64, 0, 20)),
    size=64,
    rounds=2,
    frames=4,
    live_rounds=1,
    busy_frames=4,
    busy_rounds=1,
    kills=1,
    memory_frames=40,
    memory_size=64,
)
