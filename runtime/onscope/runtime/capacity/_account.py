"""What became of every frame of a simulation, and the numbers that must agree with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PERCENTILES = (50.0, 95.0, 99.0)


class Account:
    """One microscope's frames: each is made once and ends once. Windows are counted while they are in the system."""

    def __init__(self, name: str, priority: int) -> None:
        self.name, self.priority = name, priority
        self.made = 0
        self.ends: Counter[tuple[str, str]] = Counter()
        self.latencies_ns: list[int] = []
        self.arrived = 0
        self.stay_ns = 0
        self.area_ns = 0
        self._inside = 0
        self._since = 0

    def enter(self, now: int) -> None:
        """A window comes into the system: it is whole, and waits."""
        self._step(now)
        self._inside += 1
        self.arrived += 1

    def leave(self, now: int, came: int) -> None:
        """A window that came then is done with, whatever became of it."""
        self._step(now)
        self._inside -= 1
        self.stay_ns += now - came

    def _step(self, now: int) -> None:
        self.area_ns += self._inside * (now - self._since)
        self._since = now

    def check(self) -> None:
        """Every frame ended, in one state; every window left. Raises AssertionError: the simulation is wrong."""
        ended = sum(self.ends.values())
        assert ended == self.made, f"{self.name}: {self.made} frames came and {ended} ended"
        assert self._inside == 0, f"{self.name}: {self._inside} windows never left"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of some microscopes' frames. Times in ms from the receipt of a window's last frame to its answer."""

    frames: int
    ends: dict[str, int]
    """Frames by state and reason, as in a ledger: `done`, `late`, `skipped(queue)`, `lost_upstream` ..."""
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @property
    def ran(self) -> float:
        """Share of the frames that got an answer, in time or late."""
        return (self.ends.get("done", 0) + self.ends.get("late", 0)) / max(1, self.frames)

    @property
    def in_time(self) -> float:
        """Share of the frames that got an answer in time."""
        return self.ends.get("done", 0) / max(1, self.frames)

    @property
    def skipped(self) -> float:
        """Share of the frames that were skipped, for any reason but sampling."""
        counted = {end: n for end, n in self.ends.items() if end.startswith("skipped") and end not in CHOSEN}
        return sum(counted.values()) / max(1, self.frames)

    @property
    def lost(self) -> float:
        """Share of the frames that the camera's buffer had no room for."""
        return self.ends.get("lost_upstream", 0) / max(1, self.frames)


CHOSEN = ("skipped(sampling)", "skipped(context)", "skipped(incomplete window)")
"""Not for want of time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A simulation's results; utilisations are shares of the time from the first frame to the last answer."""

    scopes: dict[str, Fate]
    priorities: dict[int, Fate]
    whole: Fate
    seconds: float
    servers: list[float]
    links_up: list[float]
    links_down: list[float]
    workers: float
    """The busiest worker process of a PC, at packing and unpacking (or computing, where it does)."""
    batches: dict[int, int]
    """How many batches of each size were run."""
    longest_wait_ms: dict[int, float]
    """The longest that a request waited at a server, by its priority."""
    steps: int
    windows: int
    mean_inside: float
    arrival_per_s: float
    mean_stay_s: float

    @property
    def throughput(self) -> float:
        """Answered frames per second."""
        return self.whole.ran * self.whole.frames / self.seconds


def fate(accounts: Iterable[Account]) -> Fate:
    """Of these accounts together."""
    ends: Counter[tuple[str, str]] = Counter()
    parts: list[Sequence[int]] = []
    for account in accounts:
        ends.update(account.ends)
        parts.append(account.latencies_ns)
    times = np.concatenate([np.asarray(part, np.float64) for part in parts]) / 1e6 if parts else np.zeros(0)
    told = {f"{state}({reason})" if reason else state: n for (state, reason), n in sorted(ends.items())}
    return fate_of(told, times)


def fate_of(ends: Mapping[str, int], times_ms: npt.NDArray[np.float64]) -> Fate:
    """Of frames that ended so, and windows that took so long."""
    nan = float("nan")
    some = len(times_ms) > 0
    p50, p95, p99 = (float(each) for each in np.percentile(times_ms, PERCENTILES)) if some else (nan, nan, nan)
    return Fate(sum(ends.values()), dict(ends), p50, p95, p99, float(times_ms.max()) if some else nan)
