"""A simulation beside a real run: Runtimes with workers of their own here, and what was predicted for the same numbers.

What a copy, a message and a window take is learnt from a slow run, in which nothing waits; the runs that are predicted
are faster, so that windows wait, are skipped, and make each other late.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .._admission import Admission, keep_newest
from ._account import Fate
from ._cost import Cost, thinned
from ._facility import Facility, Rhythm, Scope, Server
from ._live import JITTER, Live, run_live
from ._simulate import simulate

if TYPE_CHECKING:
    from .._pipeline import Pipeline

SLOW = 0.25
"""The load of the run that is learnt from."""
FEWEST = 25


@dataclass(frozen=True, slots=True)
class Checked:
    """One comparison: what ran, how busy the machine was before, what was predicted and what was measured."""

    what: str
    load: float
    predicted: Fate
    measured: Fate

    @property
    def ratios(self) -> dict[str, float]:
        """Predicted over measured, by what is compared."""
        ours, theirs = self.predicted, self.measured
        pairs = {
            "p50": (ours.p50_ms, theirs.p50_ms),
            "p95": (ours.p95_ms, theirs.p95_ms),
            "p99": (ours.p99_ms, theirs.p99_ms),
            "run": (ours.ran, theirs.ran),
        }
        return {name: mine / real if real else math.nan for name, (mine, real) in pairs.items()}


def machine_load() -> float:
    """How many wanted a core in the last minute; NaN where that is not told."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan


def scope_of(slow: Live, name: str, fps: float, admission: Admission, window: int = 1, step: int = 1) -> Scope:
    """A microscope that takes as long for everything besides the computing as one did in a slow run."""
    return Scope(
        name,
        Rhythm(fps, JITTER),
        "window",
        admission,
        window,
        step,
        copy_ms=slow.times_ms(("received", "copied")),
        handover_ms=slow.times_ms(("sent", "started"), ("finished", "delivered")),
    )


def check(
    pipeline: Pipeline,
    provider: str,
    ms: float,
    *,
    n: int = 2,
    loads: Sequence[float] = (0.8, 1.6),
    seconds: float = 4.0,
    size: str = "256x256",
    threads: int | None = None,
    admission: Admission | None = None,
    progress: Callable[[str], object] = lambda text: None,
) -> list[Checked]:
    """`n` Runtimes on a provider that takes about `ms` per window, at some loads (1: what a worker can just do).

    Raises what Runtime raises.
    """
    taken, gather = admission or keep_newest(2), pipeline.gather
    found: list[Checked] = []

    def live(load: float) -> tuple[float, Live]:
        fps = load * gather.step * 1e3 / ms
        frames = max(FEWEST * gather.length, round(seconds * fps))
        progress(f"{n} microscopes at {fps:.3g} frames/s on {provider}")
        made = run_live(
            pipeline,
            provider=provider,
            fps=fps,
            frames=frames,
            n=n,
            size=size,
            threads=threads,
            admission=taken,
        )
        return fps, made

    _, slow = live(SLOW)
    cost = Cost({1: thinned(slow.worker_ms)}, provider)
    for load in loads:
        before = machine_load()
        fps, real = live(load)
        alike = scope_of(slow, "", fps, taken, gather.length, gather.step)
        scopes = [replace(alike, name=str(number), server=number) for number in range(n)]  # each a worker of its own
        told = simulate(Facility(scopes, [Server()] * n, {"window": cost}), max(seconds * 5, 500 / fps))
        what = f"{n} Runtimes, {provider}, {fps:.3g} frames/s, load {load:g}"
        found.append(Checked(what, before, told.whole, real.fate))
    return found
