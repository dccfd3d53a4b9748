"""What handing a frame over costs the acquisition thread while the model hangs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
from tests.models import plus_one

from onscope.runtime import Frame, FrameId, FrameSpec, Pipeline, Runtime, Stage, keep_newest, now_ns

from ._material import images, wait_until
from ._plan import Plan, Submit
from ._rows import Row, at_most, spread

WARM_UPS, SETTLED = 40, 10
"""Frames before the first that counts; those after which the worker has all that it ever gets."""
P50_BUDGET, P99_BUDGET = 1.3, 2.0


def measure(plan: Plan, folder: Path) -> Iterator[Row]:
    """`submit` against a bare `np.copyto` into as many slots of the same shared memory."""
    for case in plan.submits:
        yield from _measure(case, folder)


def _measure(case: Submit, folder: Path) -> Iterator[Row]:
    spec = FrameSpec((case.size, case.size), camera="bench")
    pixels = images(case.size, 12)
    pipeline = Pipeline([Stage("plus", plus_one(folder / "plus"))])
    # Patience: the model hangs on purpose, no watchdog may end it.
    with Runtime(pipeline, admission=keep_newest(2), patience_s=3600.0) as runtime:
        runtime.prepare(spec)
        worker = psutil.Process(runtime.worker_pid)
        worker.suspend()  # a model that hangs: two windows are with it for good, the rest is skipped
        try:
            ours, bare = _alternate(case, runtime, pixels)
            ledger = runtime.ledger.counts  # before the worker goes on
        finally:
            worker.resume()
    what = f"submit, {case.size}x{case.size} uint16, " + (f"{case.rate:g}/s" if case.rate else "back to back")
    mine, theirs = spread(ours), spread(bare)
    detail = {"submit_us": mine, "copyto_us": theirs, "ledger": ledger}
    for key, limit in (("p50", P50_BUDGET), ("p99", P99_BUDGET)):
        texts = f"{mine[key]:.1f} us", f"{theirs[key]:.1f} us"
        yield at_most(f"{what}, {key}", *texts, mine[key] / theirs[key], limit, detail)


def _alternate(case: Submit, runtime: Runtime, pixels: list[np.ndarray]) -> tuple[list[float], list[float]]:
    """Microseconds of `submit` and of the copy, turn by turn on one thread, each at the case's rate.

    Before each of them a Frame is made, as a driver does. The copy goes to slots of the same ring that `submit` does
    not use at the time, as many as it uses.
    """
    lane = runtime._path.dispatcher.routes[0].lane
    used: set[int] = set()
    for seq in range(WARM_UPS):
        runtime.submit(Frame(FrameId("bench", "bench", 0, seq), pixels[seq % len(pixels)]))
        if seq >= SETTLED:
            used.add(lane.waiting[-1].slots[0])
    copies = [lane.ring.views[slot] for slot in lane.ring._free if slot not in used][: len(used)]
    ours: list[float] = []
    bare: list[float] = []
    due, half = now_ns(), int(5e8 / case.rate) if case.rate else 0
    for seq in range(WARM_UPS, WARM_UPS + case.frames):
        for submits in (True, False) if seq % 2 else (False, True):
            if half:
                due += half
                wait_until(due)
            frame = Frame(FrameId("bench", "bench", 0, seq), pixels[(seq + 6 * submits) % len(pixels)])
            if submits:
                start = now_ns()
                runtime.submit(frame)
                ours.append((now_ns() - start) / 1e3)
            else:
                start = now_ns()
                np.copyto(copies[seq % len(copies)], frame.pixels)
                bare.append((now_ns() - start) / 1e3)
    return ours, bare
