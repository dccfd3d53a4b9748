"""Latency beside a Python thread that never rests, as pycro-manager's engine is, and what a script makes of it."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from onscope.runtime import Pipeline, Runtime, keep_newest, now_ns
from onscope.runtime._cores import available_cores
from onscope.runtime._frame import Pixels

from ._bare import BareLoop
from ._beside import PLACES, Where, busy
from ._material import ListSource, images
from ._plan import Plan
from ._rows import Row, at_most, spread

BUDGET = 1.2
PACE = 2.5
"""Milliseconds between frames per millisecond of the bare loop: room for a core that gets half of its time."""


def measure(plan: Plan, pipeline: Pipeline, named: str) -> Iterator[Row]:
    """Rounds of all places for the runtime and for the script; one core is left to the busy thread."""
    threads = max(1, available_cores() - 1)
    pixels = images(plan.size, 8)
    bare = BareLoop(pipeline, threads)
    source = ListSource(pixels, int(PACE * _once_ns(bare, pixels)))
    ours: dict[Where, list[float]] = {where: [] for where in PLACES}
    script: dict[Where, list[float]] = {where: [] for where in PLACES}
    steps: dict[Where, list[dict[str, float]]] = {where: [] for where in PLACES}
    usual_s = sys.getswitchinterval()
    with Runtime(pipeline, admission=keep_newest(2), threads=threads) as runtime:
        runtime.prepare(source.spec())
        for _ in range(plan.busy_rounds):
            for where in PLACES:
                with busy(where):
                    for result in runtime.stream(source, plan.busy_frames):
                        ours[where].append((result.stamps.finished - result.stamps.received) / 1e6)
                        steps[where].append(result.stamps.steps_ms())
                with switching_every(usual_s), busy(where):  # as in a process without the runtime
                    for taken in source.frames(plan.busy_frames):
                        bare.naive(taken.pixels)
                        script[where].append((now_ns() - taken.received_ns) / 1e6)
        counts = runtime.ledger.counts
    detail = {
        "interval_ms": round(source.interval_ns / 1e6, 2),
        "threads": threads,
        "runtime_ms": {where: spread(ours[where]) for where in PLACES},
        "script_ms": {where: spread(script[where]) for where in PLACES},
        "runtime_steps_ms": {where: _medians(steps[where]) for where in PLACES},
        "ledger": counts,
    }
    for who, times in (("the runtime", ours), ("today's script", script)):
        p50 = {where: float(np.median(times[where])) for where in PLACES}
        budgeted = times is ours
        for where in PLACES[:2]:
            ratio = p50["beside"] / p50[where]
            words = "idle" if where == "idle" else "beside a busy process"
            row = at_most(
                f"{who} beside a busy Python thread, {named}, p50 of received -> finished",
                f"{p50['beside']:.1f} ms",
                f"{p50[where]:.1f} ms {words}",
                ratio,
                BUDGET,
                detail,
            )
            yield row if budgeted and where == "idle" else Row(row.what, row.ours, row.against, row.ratio)


@contextmanager
def switching_every(seconds: float) -> Iterator[None]:
    """Python's threads take turns of at most so many seconds in this block."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _once_ns(bare: BareLoop, pixels: list[Pixels]) -> float:
    """The bare loop's time for one frame."""
    times = []
    for number in range(9):
        start = now_ns()
        bare.run(pixels[number % len(pixels)])
        times.append(now_ns() - start)
    return statistics.median(times[1:])


def _medians(steps: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.median([step[name] for step in steps])), 3) for name in steps[0]}
