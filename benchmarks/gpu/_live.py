"""Latency inside the worker and across processes, and throughput, against what the copies and the run take alone."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from onscope.runtime import Runtime, block, now_ns
from onscope.runtime.worker import Chain

from .._material import ListSource, images
from .._rows import Row, at_least, at_most, spread
from ._subject import Subject

INSIDE_BUDGET = 1.10
TAIL_BUDGET = 1.3
ACROSS_BUDGET_MS = 0.25
THROUGHPUT_BUDGET = 0.95
WARM = 10


def inside_ms(subject: Subject, chain: Chain, count: int) -> list[float]:
    """Milliseconds of a window, frame to frame, by the chain that a worker runs."""
    frames = images(subject.size, 8)
    times = []
    for number in range(count + WARM):
        start = now_ns()
        chain.run([frames[number % len(frames)]])
        times.append((now_ns() - start) / 1e6)
    return times[WARM:]


def inside_rows(subject: Subject, times: list[float]) -> Iterator[Row]:
    found = spread(times, 3)
    detail = {"inside_ms": found, **subject.detail}
    texts = f"{found['p50']:.2f} ms", f"{subject.sum_ms:.3g} ms for copies and run"
    yield at_most(
        f"inside the worker, {subject.name}: p50", *texts, found["p50"] / subject.sum_ms, INSIDE_BUDGET, detail
    )
    texts = f"{found['p99']:.2f} ms", f"{found['p50']:.2f} ms at p50"
    yield at_most(f"inside the worker, {subject.name}: p99", *texts, found["p99"] / found["p50"], TAIL_BUDGET, detail)


def across_ms(subject: Subject, count: int) -> list[float]:
    """Milliseconds from a frame's submission until its result is here, one frame at a time."""
    source = ListSource(images(subject.size, 8))
    times = []
    with Runtime(subject.pipeline, provider=subject.provider, admission=block(2), threads=subject.cores) as runtime:
        runtime.prepare(source.spec())
        results = iter(runtime.subscribe(block(2)))
        for frame in source.frames(count + WARM):
            start = now_ns()
            runtime.submit(frame)
            next(results)
            times.append((now_ns() - start) / 1e6)
    return times[WARM:]


def across_row(subject: Subject, inside: list[float], across: list[float]) -> Row:
    ours, within = spread(across, 3), spread(inside, 3)
    more = ours["p50"] - within["p50"]
    what = f"across the process boundary, {subject.name}: p50"
    texts = f"{ours['p50']:.2f} ms", f"{within['p50']:.2f} ms inside: {more:.2f} ms more"
    budget = f"at most {ACROSS_BUDGET_MS:g} ms more"
    return Row(what, *texts, None, budget, more <= ACROSS_BUDGET_MS, {"across_ms": ours, "inside_ms": within})


def throughput_row(subject: Subject, rounds: int, burst: int) -> Row:
    """Frames per second of the whole runtime against those of the slowest of the three."""
    source = ListSource(images(subject.size, 8))
    rates = []
    with Runtime(subject.pipeline, provider=subject.provider, admission=block(4), threads=subject.cores) as runtime:
        runtime.prepare(source.spec())
        for _ in range(rounds):
            taken = [now_ns() for _ in runtime.stream(source, burst)][WARM:]
            rates.append((len(taken) - 1) / ((taken[-1] - taken[0]) / 1e9))
    most, found = 1e3 / subject.slowest_ms, statistics.median(rates)
    texts = f"{found:.1f}/s", f"{most:.1f}/s of the slowest of the three"
    detail = {"per_s": [round(rate, 2) for rate in rates]}
    return at_least(f"throughput, {subject.name}", *texts, found / most, THROUGHPUT_BUDGET, detail)
