"""Latency inside the worker and across processes, and throughput, against what the copies and the run take alone."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.models import plus_one

from onscope.runtime import FrameSpec, Pipeline, Runtime, Stage, block, now_ns
from onscope.runtime.worker import Chain

from .._material import ListSource, images
from .._rows import Row, at_least, at_most, spread
from ._plan import Case, Plan

NAMES = ("inside", "across", "throughput")
INSIDE_BUDGET = 1.10
TAIL_BUDGET = 1.3
ACROSS_BUDGET_MS = 0.25
THROUGHPUT_BUDGET = 0.95
WARM = 10


def measure(plan: Plan, names: Sequence[str], told: Callable[[str], object]) -> Iterator[Row]:
    """Rows of each case: the engine stands for a GPU's, all else is as it is with one."""
    for case in plan.cases:
        with TemporaryDirectory() as folder:
            pipeline = Pipeline([Stage("plus", plus_one(Path(folder) / "plus"))])
            inside: list[float] = []
            if {"inside", "across"} & set(names):
                told(f"inside the worker: {case}")
                inside = _inside(plan, case, pipeline)
            if "inside" in names:
                yield from _inside_rows(case, inside)
            if "across" in names:
                told(f"across processes: {case}")
                yield _across_row(case, inside, _across(plan, case, pipeline))
            if "throughput" in names:
                told(f"throughput: {case}")
                yield _throughput(plan, case, pipeline)


def _inside(plan: Plan, case: Case, pipeline: Pipeline) -> list[float]:
    """Milliseconds of a window, frame to frame, by the chain that a worker runs."""
    spec = FrameSpec((case.size, case.size))
    chain = Chain(pipeline.opening(spec, case.provider, 1))
    frames = images(case.size, 8)
    times = []
    for number in range(plan.frames + WARM):
        start = now_ns()
        chain.run([frames[number % len(frames)]])
        times.append((now_ns() - start) / 1e6)
    return times[WARM:]


def _inside_rows(case: Case, times: list[float]) -> Iterator[Row]:
    found = spread(times, 3)
    texts = f"{found['p50']:.2f} ms", f"{case.sum_ms:g} ms for copies and run"
    yield at_most(f"inside the worker, {case}: p50", *texts, found["p50"] / case.sum_ms, INSIDE_BUDGET, found)
    texts = f"{found['p99']:.2f} ms", f"{found['p50']:.2f} ms at p50"
    yield at_most(f"inside the worker, {case}: p99", *texts, found["p99"] / found["p50"], TAIL_BUDGET, found)


def _across(plan: Plan, case: Case, pipeline: Pipeline) -> list[float]:
    """Milliseconds from a frame's submission until its result is here, one frame at a time."""
    source = ListSource(images(case.size, 8))
    times = []
    with Runtime(pipeline, provider=case.provider, admission=block(2), threads=1) as runtime:
        runtime.prepare(source.spec())
        results = iter(runtime.subscribe(block(2)))
        for frame in source.frames(plan.frames + WARM):
            start = now_ns()
            runtime.submit(frame)
            next(results)
            times.append((now_ns() - start) / 1e6)
    return times[WARM:]


def _across_row(case: Case, inside: list[float], across: list[float]) -> Row:
    ours, within = spread(across, 3), spread(inside, 3)
    more = ours["p50"] - within["p50"]
    detail = {"across_ms": ours, "inside_ms": within}
    what = f"across the process boundary, {case}: p50"
    budget = f"at most {ACROSS_BUDGET_MS:g} ms more"
    texts = f"{ours['p50']:.2f} ms", f"{within['p50']:.2f} ms inside"
    return Row(what, *texts, round(more, 3), budget, more <= ACROSS_BUDGET_MS, detail)


def _throughput(plan: Plan, case: Case, pipeline: Pipeline) -> Row:
    """Frames per second of the whole runtime against those of the slowest of the three."""
    source = ListSource(images(case.size, 8))
    rates = []
    with Runtime(pipeline, provider=case.provider, admission=block(4), threads=1) as runtime:
        runtime.prepare(source.spec())
        for _ in range(plan.rounds):
            taken = [now_ns() for _ in runtime.stream(source, plan.burst)][WARM:]
            rates.append((len(taken) - 1) / ((taken[-1] - taken[0]) / 1e9))
    most = 1e3 / case.slowest_ms
    texts = f"{statistics.median(rates):.1f}/s", f"{most:.1f}/s of the slowest of the three"
    detail = {"per_s": [round(rate, 2) for rate in rates]}
    return at_least(f"throughput, {case}", *texts, statistics.median(rates) / most, THROUGHPUT_BUDGET, detail)
