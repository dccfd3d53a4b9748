"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass

from ._beside import Where
from .acquire import Driver, Job


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
    inside: tuple[Job, ...]
    size: int = 512
    rounds: int = 8
    frames: int = 14
    live_frames: int = 120
    live_rounds: int = 4
    busy_frames: int = 12
    busy_rounds: int = 3
    kills: int = 4
    memory_frames: int = 3000
    memory_size: int = 128
    peers: tuple[tuple[Driver, Where], ...] = (
        ("pycro-manager", "idle"),
        ("pycro-manager", "beside"),
        ("pymmcore-plus", "idle"),
        ("pymmcore-plus", "beside"),
    )
    peer_frames: int = 300
    peer_exposure_ms: float = 10.0
    peer_buffer_mb: int = 64


def _copies(frames: int, size: int, exposure_ms: float, buffer_mb: int) -> Job:
    return Job("pycro-manager", "copies", frames, size, exposure_ms, buffer_mb)


FULL = Plan(
    (Submit(512, 100, 800), Submit(512, 0, 6000), Submit(2048, 100, 400), Submit(2048, 0, 1000)),
    (_copies(2000, 512, 10.0, 64), _copies(800, 2048, 25.0, 512)),
)
QUICK = Plan(
    (Submit(512, 100, 200), Submit(512, 0, 2000), Submit(2048, 100, 100), Submit(2048, 0, 200)),
    (_copies(300, 512, 10.0, 64), _copies(120, 2048, 25.0, 512)),
    rounds=2,
    frames=8,
    live_frames=20,
    live_rounds=1,
    busy_frames=6,
    busy_rounds=1,
    kills=1,
    memory_frames=300,
    peer_frames=100,
    peer_buffer_mb=16,
)
TINY = Plan(
    (Submit(64, 500, 20), Submit(64, 0, 20)),
    (_copies(120, 64, 2.0, 8),),
    size=64,
    rounds=2,
    frames=4,
    live_frames=4,
    live_rounds=1,
    busy_frames=4,
    busy_rounds=1,
    kills=1,
    memory_frames=40,
    memory_size=64,
    peers=(("pymmcore-plus", "beside"),),
    peer_frames=20,
    peer_exposure_ms=5.0,
    peer_buffer_mb=8,
)
