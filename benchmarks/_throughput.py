"""Frames per second of the whole runtime against a bare loop over the same graphs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from onscope.drivers import micromanager
from onscope.runtime import Pipeline, Runtime, block, now_ns
from onscope.runtime._frame import Pixels
from onscope.runtime.record import Recording

from ._bare import BareLoop
from ._material import ListSource, images
from ._plan import Plan
from ._rows import Row, at_least

REPLAY_BUDGET, LIVE_BUDGET = 0.95, 0.85
FASTER = 0.8
"""The live camera's exposure in parts of the bare loop's time per frame: it never is what is waited for."""


def measure_replay(plan: Plan, pipeline: Pipeline, named: str) -> Iterator[Row]:
    """Fed from a list as fast as frames are taken, nothing recorded."""
    pixels = images(plan.size, 8)
    bare = BareLoop(pipeline)
    source = ListSource(pixels)
    with Runtime(pipeline, admission=block(2)) as runtime:
        runtime.prepare(source.spec())

        def ours() -> float:
            return _rate([now_ns() for _ in runtime.stream(source, plan.frames)])

        yield _compare(
            f"replay -> {named}, {plan.size}x{plan.size}",
            ours,
            lambda: _bare_rate(bare, pixels, plan.frames),
            plan.rounds,
            REPLAY_BUDGET,
        )


def measure_live(plan: Plan, pipeline: Pipeline, named: str, folder: Path) -> Iterator[Row]:
    """Fed by Micro-Manager's demo camera, raw frames and answers recorded.

    Long enough that the start of the recorder process, half a second of computing, is a small part.
    """
    pixels = images(plan.size, 8)
    bare = BareLoop(pipeline)
    exposure_ms = FASTER * 1e3 / max(_bare_rate(bare, pixels, 1) for _ in range(10))
    closing_s: list[float] = []
    with micromanager.demo(size=plan.size) as scope, Runtime(pipeline, admission=block(2)) as runtime:
        source = scope.live(exposure_ms)
        runtime.prepare(source.spec())
        runs = iter(range(1 << 30))

        def ours() -> float:
            with Recording(folder / f"live-{next(runs)}", pipeline) as recording:
                taken = []
                for result in runtime.stream(recording.tap(source, plan.live_frames), plan.live_frames):
                    recording.add(result)
                    taken.append(now_ns())
            closing_s.append((now_ns() - taken[-1]) / 1e9)
            return _rate(taken)

        row = _compare(
            f"live camera -> {named} -> recording, {plan.size}x{plan.size}",
            ours,
            lambda: _bare_rate(bare, pixels, plan.live_frames),
            plan.live_rounds,
            LIVE_BUDGET,
        )
    row.detail.update(exposure_ms=round(exposure_ms, 2), closing_s=closing_s)  # type: ignore[attr-defined]
    yield row


def _bare_rate(bare: BareLoop, pixels: list[Pixels], frames: int) -> float:
    start = now_ns()
    for number in range(frames):
        bare.run(pixels[number % len(pixels)])
    return frames / ((now_ns() - start) / 1e9)


def _rate(taken_ns: list[int]) -> float:
    """Results per second from the first one on: the exposure of the first frame is no part of the computing."""
    return (len(taken_ns) - 1) / ((taken_ns[-1] - taken_ns[0]) / 1e9)


def _compare(what: str, ours: Callable[[], float], bare: Callable[[], float], rounds: int, budget: float) -> Row:
    """Rounds of both, turn by turn; the ratio is the median of the rounds' own ratios. A first round warms up."""
    mine: list[float] = []
    theirs: list[float] = []
    for number in range(rounds + 1):
        for which in (ours, bare) if number % 2 else (bare, ours):
            (mine if which is ours else theirs).append(which())
    mine, theirs = mine[1:], theirs[1:]
    ratios = [a / b for a, b in zip(mine, theirs, strict=True)]
    detail = {
        "runtime_per_s": [round(rate, 2) for rate in mine],
        "bare_per_s": [round(rate, 2) for rate in theirs],
        "ratios": [round(ratio, 3) for ratio in ratios],
    }
    texts = f"{statistics.median(mine):.1f}/s", f"{statistics.median(theirs):.1f}/s"
    return at_least(what, *texts, statistics.median(ratios), budget, detail)
