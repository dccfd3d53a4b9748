"""The same beside a Python thread that never rests: how often a frame has to wait for the interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onscope.runtime._cores import available_cores

from .._beside import Where, busy
from .._material import images
from .._rows import Row
from ._ours import CompiledGraph, request, square
from ._packages import one_convolution
from ._peers import Network, Script
from ._plan import Plan
from ._turns import Play, Times, spreads, take_turns

PLACES: tuple[Where, ...] = ("idle", "beside")


def measure(plan: Plan, folder: Path) -> Iterator[Row]:
    """Compiled graphs and today's script in the process of the busy thread, which has one core to itself."""
    threads = max(1, available_cores() - 1)
    package = one_convolution(folder / "one")
    for size in plan.host_sizes:
        frames = images(size, plan.host_turn + 1)
        exact = CompiledGraph([request(package)], square(size), folder / "cache", threads=threads)
        frozen = CompiledGraph([request(package, normalise="frozen")], square(size), folder / "cache", threads=threads)
        script = Script(Network(package, threads))
        players: dict[str, Play] = {
            "frozen": lambda number: frozen.run(frames[number % len(frames)]),  # noqa: B023
            "exact per frame": lambda number: exact.run(frames[number % len(frames)]),  # noqa: B023
            "script": lambda number: script.run(frames[number % len(frames)]),  # noqa: B023
        }
        times: dict[Where, Times] = {place: {name: [] for name in players} for place in PLACES}
        for _ in range(plan.busy_rounds):
            for place in PLACES:
                with busy(place):
                    for name, rounds in take_turns(players, 1, plan.host_turn, warm_up=11).items():
                        times[place][name] += rounds
        found = {place: spreads(times[place]) for place in PLACES}
        detail = {"threads": threads, "ms": found}
        for name in players:
            idle, beside = found["idle"][name], found["beside"][name]
            who = "today's script" if name == "script" else f"compiled graph, normalisation {name}"
            yield Row(
                f"{who}, one convolution, {size}x{size}, beside a busy Python thread of its process",
                f"p50 {beside['p50']:.2f}, p99 {beside['p99']:.2f} ms",
                f"p50 {idle['p50']:.2f}, p99 {idle['p99']:.2f} ms idle",
                round(beside["p50"] / idle["p50"], 2),
                detail=detail,
            )
