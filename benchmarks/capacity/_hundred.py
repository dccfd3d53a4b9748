"""100 microscopes before 8 GPUs, in virtual time. What a window costs there is ASSUMED, and swept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from onscope.runtime import Admission, block, keep_newest, keep_oldest
from onscope.runtime.capacity import Batching, Cost, Facility, Fate, Outcome, Rhythm, Scope, Server, simulate

SCOPES, FIRST, GPUS = 100, 10, 8
ASSUMED_MS = (5.0, 10.0, 20.0)
"""Milliseconds of a GPU per window of 512x512: an assumption, no measurement."""
BYTES = 512 * 512 * 2
LINK_GBIT, SCOPE_GBIT = 25.0, 10.0
BUFFER = 250_000_000 // BYTES
LOADS = (0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.25, 1.5, 2.0)
ADMISSIONS: dict[str, Admission] = {
    "keep_newest:2": keep_newest(2),
    "keep_oldest:2": keep_oldest(2),
    "block:2": block(2),
    "keep_newest:2, deadline 100 ms": keep_newest(2, deadline_ms=100),
}
BATCH, BATCH_COST = 8, 4.0
"""A batch of so many, and what it is assumed to cost in windows."""


@dataclass(frozen=True, slots=True)
class Point:
    """One simulation: `load` is what is asked of the GPUs, over what they can do."""

    load: float
    ms: float
    fps: float
    scopes: int
    outcome: Outcome

    def told(self) -> dict[str, Any]:
        """As plain values."""
        fates = {"all": self.outcome.whole} | {f"priority {n}": each for n, each in self.outcome.priorities.items()}
        told = {"load": self.load, "assumed_ms": self.ms, "fps": self.fps, "microscopes": self.scopes}
        told |= {"gpus_busy": self.outcome.servers[0], "link_busy": self.outcome.links_up[0]}
        return told | {name: as_told(fate) for name, fate in fates.items()}


def as_told(fate: Fate) -> dict[str, Any]:
    """A fate as plain values, without what is not a number."""
    times = {name: getattr(fate, f"{name}_ms") for name in ("p50", "p95", "p99", "max")}
    known = {name: round(ms, 3) if ms == ms else None for name, ms in times.items()}
    return {"frames": fate.frames, "run": round(fate.ran, 5), "ends": fate.ends} | known


def facility(
    ms: float, fps: float, admission: Admission, scopes: int = SCOPES, batch: int = 1, depth: int = 2
) -> Facility:
    """A tenth of the microscopes is of the first class; one server, one queue, 8 instances."""
    first = max(1, scopes * FIRST // SCOPES)
    made = [
        Scope(
            f"{number}",
            Rhythm(fps, 0.1),
            "window",
            admission,
            up_bytes=BYTES,
            down_bytes=BYTES,
            buffer=BUFFER,
            copy_ms=0.1,
            pack_ms=0.3,
            unpack_ms=0.3,
            handover_ms=0.1,
            depth=depth,
            far=True,
            link_gbit=SCOPE_GBIT,
            priority=1 if number < first else 2,
        )
        for number in range(scopes)
    ]
    cost = Cost({1: [ms], BATCH: [BATCH_COST * ms]}) if batch > 1 else Cost({1: [ms]})
    return Facility(made, [Server(GPUS, Batching(batch), LINK_GBIT, 0.05)], {"window": cost})


def over_load(ms: float, admission: Admission, loads: Sequence[float], seconds: float, batch: int = 1) -> list[Point]:
    """The frame rate grows until so much is asked of the GPUs."""
    found = []
    for load in loads:
        fps = load * GPUS * 1e3 / ms / SCOPES
        found.append(Point(load, ms, fps, SCOPES, simulate(facility(ms, fps, admission, batch=batch), seconds)))
    return found


def over_scopes(ms: float, fps: float, numbers: Sequence[int], seconds: float) -> list[Point]:
    """The number of microscopes grows."""
    found = []
    for n in numbers:
        came = simulate(facility(ms, fps, keep_newest(2), n), seconds)
        found.append(Point(n * fps * ms / 1e3 / GPUS, ms, fps, n, came))
    return found


def saturation(points: Sequence[Point], share: float = 0.99) -> float:
    """The highest load up to which this share of the frames is run, of those that were looked at."""
    good = 0.0
    for point in points:
        if point.outcome.whole.ran < share:
            break
        good = point.load
    return good


def sweep(seconds: float, loads: Sequence[float] = LOADS, tell: Callable[[str], object] = print) -> dict[str, Any]:
    """All of it: over load by assumed cost, by admission, with batches, and over the number of microscopes."""
    began = time.perf_counter()
    found: dict[str, list[Point]] = {}
    for ms in ASSUMED_MS:
        found[f"{ms:g} ms"] = over_load(ms, keep_newest(2), loads, seconds)
        tell(f"assumed {ms:g} ms: all are run up to a load of {saturation(found[f'{ms:g} ms']):g}")
    for name, admission in ADMISSIONS.items():
        found[name] = over_load(10.0, admission, loads, seconds)
        tell(f"{name}: all are run up to a load of {saturation(found[name]):g}")
    found["batches"] = over_load(10.0, keep_newest(2), [*loads, 2.5, 3.0], seconds, BATCH)
    tell(f"batches: all are run up to a load of {saturation(found['batches']):g}")
    found["microscopes"] = over_scopes(10.0, 10.0, (20, 40, 60, 70, 80, 90, 100, 120, 160), seconds)
    return {"points": found, "took_s": time.perf_counter() - began}
