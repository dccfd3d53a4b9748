"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = ("throughput", "cables", "latency", "packing")
MBIT = 1e6 / 8


@dataclass(frozen=True)
class Plan:
    """`side` of the frames in pixels; `links` in bytes per second by name (None: as fast as loopback goes); `cables` by
    name: bytes per second, and the share of packets that is lost; so many frames, in so many pairs of runs; `paced`
    frames at `fps` for the latency."""

    side: int
    links: dict[str, float | None]
    cables: dict[str, tuple[float, float]]
    frames: int
    pairs: int
    paced: int
    fps: float


LINKS: dict[str, float | None] = {"100 Mbit/s": 100 * MBIT, "1 Gbit/s": 1000 * MBIT, "loopback": None}
CABLES = {
    "100 Mbit/s": (100 * MBIT, 0.0),
    "1 Gbit/s": (1000 * MBIT, 0.0),
    "100 Mbit/s with 1 % loss": (100 * MBIT, 0.01),
    "1 Gbit/s with 1 % loss": (1000 * MBIT, 0.01),
}
FULL = Plan(1024, LINKS, CABLES, 100, 3, 500, 20.0)
QUICK = Plan(512, LINKS, CABLES, 60, 1, 100, 20.0)
TINY = Plan(64, {"loopback": None}, {}, 8, 1, 8, 100.0)
