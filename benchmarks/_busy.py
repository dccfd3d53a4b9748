"""Latency beside a Python thread that never rests, as pycro-manager's engine is, and what a script makes of it."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np

from onscope.runtime import Pipeline, Runtime, keep_newest, now_ns
from onscope.runtime._cores import available_cores
from onscope.runtime._frame import Pixels

from ._bare import BareLoop
from ._material import ListSource, images
from ._plan import Plan
from ._rows import Row, at_most, spread

Item = TypeVar("Item")
BUDGET = 1.2
PACE = 1.6
"""Milliseconds between frames per millisecond of the bare loop: an idle script keeps up."""


@contextmanager
def busy_thread() -> Iterator[None]:
    """A thread of pure Python work while the block runs."""
    stop = threading.Event()

    def spin() -> None:
        numbers = list(range(100))
        while not stop.is_set():
            sum(number * number for number in numbers)

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def measure(plan: Plan, pipeline: Pipeline, named: str) -> Iterator[Row]:
    """Rounds of idle and busy, for the runtime and for the script; one core is left to the busy thread."""
    threads = max(1, available_cores() - 1)
    pixels = images(plan.size, 8)
    bare = BareLoop(pipeline, threads)
    source = ListSource(pixels, int(PACE * _once_ns(bare, pixels)))
    ours: dict[bool, list[float]] = {False: [], True: []}
    script: dict[bool, list[float]] = {False: [], True: []}
    steps: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    with Runtime(pipeline, admission=keep_newest(2), threads=threads) as runtime:
        runtime.prepare(source.spec())
        for _ in range(plan.busy_rounds):
            for busy in (False, True):
                for result in _under(busy, runtime.stream(source, plan.busy_frames)):
                    ours[busy].append((result.stamps.finished - result.stamps.received) / 1e6)
                    steps[busy].append(result.stamps.steps_ms())
                for frame in _under(busy, source.frames(plan.busy_frames)):
                    bare.naive(frame.pixels)
                    script[busy].append((now_ns() - frame.received_ns) / 1e6)
        counts = runtime.ledger.counts
    detail = {
        "interval_ms": round(source.interval_ns / 1e6, 2),
        "threads": threads,
        "runtime_ms": {"idle": spread(ours[False]), "busy": spread(ours[True])},
        "script_ms": {"idle": spread(script[False]), "busy": spread(script[True])},
        "runtime_steps_ms": {"idle": _medians(steps[False]), "busy": _medians(steps[True])},
        "ledger": counts,
    }
    for who, times, budget in (("the runtime", ours, BUDGET), ("today's script", script, None)):
        idle, busy_ms = (float(np.median(times[key])) for key in (False, True))
        row = at_most(
            f"{who} beside a busy Python thread, {named}, p50 of received -> finished",
            f"{busy_ms:.1f} ms",
            f"{idle:.1f} ms idle",
            busy_ms / idle,
            budget or BUDGET,
            detail if budget else {},
        )
        yield row if budget else Row(row.what, row.ours, row.against, row.ratio)


def _once_ns(bare: BareLoop, pixels: list[Pixels]) -> float:
    """The bare loop's time for one frame."""
    times = []
    for number in range(9):
        start = now_ns()
        bare.run(pixels[number % len(pixels)])
        times.append(now_ns() - start)
    return statistics.median(times[1:])


def _under(busy: bool, items: Iterator[Item]) -> Iterator[Item]:
    if not busy:
        yield from items
        return
    with busy_thread():
        yield from items


def _medians(steps: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.median([step[name] for step in steps])), 3) for name in steps[0]}
