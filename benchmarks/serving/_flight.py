"""Windows per second with several on their way."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from onscope.runtime import Frame, FrameId, Runtime, block, new_run_id

from .._rows import Row, spread
from ._bare import Bare
from ._plan import Plan
from ._server import Served, pixels_of, spec_of

Told = Callable[[str], object]


def in_flight(plan: Plan, served: Served, told: Told) -> Iterator[Row]:
    """The whole runtime, against a bare client with as many on their way; in turns."""
    for side in plan.sides:
        frames = pixels_of(side)
        windows = plan.windows if side <= 512 else plan.windows // 4
        for number in plan.flights:
            told(f"{number} on their way, {side}x{side}")
            ours, bare_rates, ages = [], [], []
            bare = Bare(served, side)
            for _ in range(plan.rounds):
                bare_rates.append(bare.many(frames, windows, number))
                rate, age = _run(served, side, windows, number)
                ours.append(rate)
                ages += age
            bare.close()
            a, b = statistics.median(ours), statistics.median(bare_rates)
            detail = {"windows/s": spread(ours), "bare windows/s": spread(bare_rates), "worker ms": spread(ages)}
            what = f"{number} on their way, {side}x{side}"
            yield Row(what, f"{a:.0f}/s", f"tritonclient {b:.0f}/s", round(a / b, 2), detail=detail)


def _run(served: Served, side: int, windows: int, number: int) -> tuple[float, list[float]]:
    """Windows per second of a runtime, and how long the worker had each, in ms."""
    pixels = pixels_of(side)
    worker = f"{served.server.worker}?in_flight={number}"
    with Runtime(served.pipeline, worker=worker, admission=block(2 * number), on_event=lambda event: None) as it:
        it.prepare(spec_of(side))
        results, run, began = it.subscribe(block(windows)), new_run_id(), time.perf_counter()
        for seq in range(windows):
            it.submit(Frame(FrameId(run, "cam", 0, seq), pixels[seq % len(pixels)]))
        it.drain(120)
        rate = windows / (time.perf_counter() - began)
        taken = (results.take(1.0) for _ in range(windows))
        return rate, [(r.stamps.finished - r.stamps.started) / 1e6 for r in taken if r is not None]
