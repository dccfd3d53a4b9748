"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = ("throughput", "cables", "latency", "packing")
MBIT = 1e6 / 8


@dataclass(frozen=True)
class Cable:
    """`rate` in bytes per second, the share of packets that is lost, and by how much a relay in front of it delays each
    byte, each way; `rounds`: so many times as many pairs of runs as elsewhere."""

    rate: float
    loss: float = 0.0
    delay_s: float = 0.0
    rounds: int = 1


@dataclass(frozen=True)
class Plan:
    """`side` of the frames in pixels; `links` in bytes per second by name (None: as fast as loopback goes); `cables` by
    name; so many frames, in so many pairs of runs; `paced` frames at `fps` for the latency."""

    side: int
    links: dict[str, float | None]
    cables: dict[str, Cable]
    frames: int
    pairs: int
    paced: int
    fps: float


LINKS: dict[str, float | None] = {"100 Mbit/s": 100 * MBIT, "1 Gbit/s": 1000 * MBIT, "loopback": None}
CABLES = {
    "100 Mbit/s": Cable(100 * MBIT),
    "1 Gbit/s": Cable(1000 * MBIT),
    "100 Mbit/s with 1 % loss": Cable(100 * MBIT, 0.01, rounds=2),
    "1 Gbit/s with 1 % loss": Cable(1000 * MBIT, 0.01),
    "100 Mbit/s behind a relay that delays by 1 ms each way": Cable(100 * MBIT, delay_s=0.001),
    "1 Gbit/s behind a relay that delays by 1 ms each way": Cable(1000 * MBIT, delay_s=0.001, rounds=3),
}
FULL = Plan(1024, LINKS, CABLES, 100, 3, 500, 20.0)
QUICK = Plan(512, LINKS, CABLES, 60, 1, 100, 20.0)
TINY = Plan(64, {"loopback": None}, {}, 8, 1, 8, 100.0)
