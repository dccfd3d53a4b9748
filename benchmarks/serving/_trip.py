"""One window there and back, and from a frame to its result."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from onscope.runtime import Frame, FrameId, Runtime, block, new_run_id
from onscope.runtime._shm import SharedSlots
from onscope.runtime.engines import Shares, open_session

from .._rows import Row, spread
from ._bare import Bare
from ._plan import Plan
from ._server import Served, pixels_of, spec_of

Told = Callable[[str], object]


def round_trip(plan: Plan, served: Served, told: Told) -> Iterator[Row]:
    """The engine's session, over the connection and in shared memory, and the bare client, in turns."""
    for side in plan.sides:
        told(f"there and back, {side}x{side}")
        graph, frames = served.graphs[side], pixels_of(side)
        slots = SharedSlots.create(side * side * 2, 1)
        slot = slots.view(0, (side, side), np.uint16)
        ways = {name: open_session(graph, served.server.provider + more) for name, more in WAYS.items()}
        shared = ways["shared memory"]
        assert isinstance(shared, Shares)
        shared.lie_in_shared(slots.name, slots.whole)
        bare = Bare(served, side)
        times: dict[str, list[float]] = {name: [] for name in (*ways, "bare")}
        for number in range(plan.windows * plan.rounds // 2):
            frame = frames[number % len(frames)]
            np.copyto(slot, frame)
            times["bare"].append(bare.once(frame))
            for name, session in ways.items():
                start = time.perf_counter()
                session.run([slot])
                times[name].append((time.perf_counter() - start) * 1e3)
        for session in ways.values():
            session.close()  # type: ignore[attr-defined]
        bare.close()
        slots.close()
        against = statistics.median(times["bare"])
        for name in ways:
            ours = statistics.median(times[name])
            detail = {"ms": spread(times[name], 3), "bare ms": spread(times["bare"], 3)}
            what = f"there and back, {side}x{side} uint16, {name}"
            yield Row(
                what,
                f"{_ms(times[name])}",
                f"tritonclient {_ms(times['bare'])}",
                round(ours / against, 3),
                detail=detail,
            )


WAYS = {"over the connection": "?shared=never", "shared memory": ""}


def beside_a_process(plan: Plan, served: Served, told: Told) -> Iterator[Row]:
    """A camera at a modest rate: the latency of results, against a worker in a process here."""
    for side in plan.sides:
        told(f"a run of {side}x{side} beside a worker of this machine")
        found: dict[str, list[float]] = {"here": [], "there": []}
        for _ in range(plan.rounds):
            for name, more in (("here", {"provider": "cpu"}), ("there", {"worker": served.server.worker})):
                found[name] += latencies(served, side, plan, **more)
        here, there = (statistics.median(found[name]) for name in ("here", "there"))
        detail = {"ms": spread(found["there"], 3), "process ms": spread(found["here"], 3)}
        what = f"receipt to result, {side}x{side}, {plan.fps:g} frames/s"
        yield Row(what, _ms(found["there"]), f"process {_ms(found['here'])}", round(there / here, 2), detail=detail)


def latencies(served: Served, side: int, plan: Plan, **more: str) -> list[float]:
    """Of the results of one run, in ms."""
    pixels, frames = pixels_of(side), int(plan.fps * plan.seconds / 2)
    with Runtime(served.pipeline, admission=block(4), threads=1, on_event=lambda event: None, **more) as it:  # type: ignore[arg-type]
        it.prepare(spec_of(side))
        results, run, began = it.subscribe(block(frames)), new_run_id(), time.perf_counter()
        for seq in range(frames):
            time.sleep(max(0.0, began + seq / plan.fps - time.perf_counter()))
            it.submit(Frame(FrameId(run, "cam", 0, seq), pixels[seq % len(pixels)]))
        it.drain(60)
        return [result.latency_ms for _ in range(frames) if (result := results.take(1.0)) is not None]


def _ms(values: list[float]) -> str:
    return f"{np.percentile(values, 50):.2f} ms (p99 {np.percentile(values, 99):.1f})"
