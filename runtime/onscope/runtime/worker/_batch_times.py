"""What batches of windows take on an engine, in the graphs that a server would be given."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import psutil

from .._errors import OnscopeError
from ..engines import open_session
from ..graph import Raw
from ..graph.batch import Batched
from ._batch_proof import feeds_of, stacked, windows_like

FEWEST_RUNS, MOST_RUNS = 3, 200
WARM_UPS = 2


def batch_times(
    batched: Batched,
    raw: Raw,
    sizes: Sequence[int],
    *,
    provider: str = "cpu",
    threads: int | None = None,
    seconds: float = 1.0,
) -> dict[int, list[float]]:
    """Milliseconds of runs of so many windows at once, by their number, for about `seconds` each.

    `raw` is what the graph was compiled for. Windows are those of `prove_batched`, all different; recurrent networks
    have memories of their own for each. A size is left out, and all larger ones, when its fewest runs would take four
    times as long as asked for, by what the size before took, its windows half of the memory that is free, or the engine
    refuses it.
    Raises what `open_session` raises.
    """
    single = open_session(batched.single.path, provider, threads)
    feeds = feeds_of(batched, single, raw, windows_like(raw, max(sizes)))
    many = open_session(batched.path, provider, threads)
    free_mb = psutil.virtual_memory().available / 2**21
    found: dict[int, list[float]] = {}
    per_window = 0.0
    for size in sorted(sizes):
        long = per_window * size * (WARM_UPS + FEWEST_RUNS) > 4 * seconds * 1e3
        if found and (long or batched.single.memory_mb * size > free_mb):
            break
        try:
            batch = stacked(feeds[:size])
            for _ in range(WARM_UPS):
                many.run(batch)
            found[size] = timed(partial(many.run, batch), seconds)
        except OnscopeError:
            if not found:
                raise
            break  # too much for the engine's memory, say
        per_window = min(found[size]) / size
    for session in (single, many):
        if (close := getattr(session, "close", None)) is not None:
            close()
    return found


def timed(run: Callable[[], object], seconds: float) -> list[float]:
    """Milliseconds of each of 3 to 200 calls, for about so many seconds."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < FEWEST_RUNS or (time.perf_counter() < until and len(times) < MOST_RUNS):
        began = time.perf_counter_ns()
        run()
        times.append((time.perf_counter_ns() - began) / 1e6)
    return times
