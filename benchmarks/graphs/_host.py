"""Host cost per frame: all that a frame takes beside the network's own kernels, on a network of one convolution.

Who is timed has a profiled twin, whose kernels' time is taken off. Means of the frames of a round, since not all frames
cost the same where statistics are `running`; then the median of the rounds.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from onscope.runtime import Package
from onscope.runtime._frame import Pixels
from onscope.runtime.graph import Normalise, Raw

from .._material import images
from .._rows import Row, at_most, spread
from ._ours import CompiledGraph, request, square
from ._packages import one_convolution
from ._peers import Core, Script
from ._plan import Plan
from ._profiled import Profiled
from ._turns import Play, ratio, spreads, take_turns

FROZEN_FRAMES = 10
WARM_UP = FROZEN_FRAMES + 3
"""Frames before the first that counts: frozen statistics are ready by then."""
WAYS: dict[Normalise, str] = {"frozen": "frozen", "running": "running", "per_frame": "exact per frame"}
PEERS = {"script": "today's script", "bioimageio.core": "bioimageio.core's pipeline"}
CORE_BUDGET = 1 / 10


def script_budget(normalise: Normalise, size: int) -> float:
    """The part of today's script's host cost that ours may have."""
    if normalise != "per_frame":
        return 1 / 8
    return 1 / 4 if size <= 512 else 1 / 6


def measure(plan: Plan, folder: Path) -> Iterator[Row]:
    """Compiled graphs by way of normalising, the script and bioimageio.core's pipeline, all in turns."""
    package = one_convolution(folder / "one")
    for size in plan.host_sizes:
        yield from _compare(plan, folder, package, images(size, plan.host_turn + 1), "", tuple(WAYS))
        # A histogram costs what its occupied range costs.
        spread_out = [frame.astype(np.uint16) for frame in _wide(size, plan.host_turn + 1)]
        yield from _compare(plan, folder, package, spread_out, ", counts over 16 bit", ("per_frame",))


def _compare(
    plan: Plan, folder: Path, package: Package, frames: list[Pixels], words: str, ways: tuple[Normalise, ...]
) -> Iterator[Row]:
    raw = square(frames[0].shape[-1])
    timed = _players(package, frames, ways, raw, folder, profile=False)
    profiled = _players(package, frames, ways, raw, folder, profile=True)
    players: dict[str, Play] = {}
    for name, (play, _) in timed.items():
        players |= {name: play, f"{name}, profiled": profiled[name][0]}
    times = take_turns(players, plan.host_rounds, plan.host_turn, WARM_UP)
    times = {name: times[name] for name in timed}
    kernels = {name: _rounds(session.end(), plan.host_turn) for name, (_, session) in profiled.items()}
    host = {name: _less(rounds, kernels[name]) for name, rounds in times.items()}
    scripted = Script(Profiled(package.weights, None)).run(frames[0])
    answered = CompiledGraph([request(package)], raw, folder / "cache").run(frames[0])[0]
    detail = {
        "ms": spreads(times),
        "kernels_ms": spreads(kernels),
        "host_ms": {name: spread(values, 4) for name, values in host.items()},
        # Frozen and running statistics are those of other frames too.
        "largest_difference_counts": int(_difference(answered, scripted)),
    }
    for peer, named in PEERS.items():
        for way in ways:
            yield at_most(
                f"host cost, one convolution, {raw.shape[0]}x{raw.shape[1]}{words}, normalisation {WAYS[way]}, against "
                f"{named}",
                f"{np.median(host[way]):.3f} ms",
                f"{np.median(host[peer]):.3f} ms",
                ratio(host[way], host[peer]),
                script_budget(way, raw.shape[0]) if peer == "script" else CORE_BUDGET,
                detail,
            )


def _players(
    package: Package, frames: list[Pixels], ways: tuple[Normalise, ...], raw: Raw, folder: Path, *, profile: bool
) -> dict[str, tuple[Play, Profiled]]:
    """Ours and the peers, and the sessions that they compute in."""
    place = folder if profile else None
    networks = [Profiled(package.weights, place) for _ in PEERS]
    found: dict[str, tuple[Play, Profiled]] = {}
    for way in ways:
        asked = [request(package, normalise=way)]
        graph = CompiledGraph(asked, raw, folder / "cache", opened=lambda path: Profiled(path, place))
        assert isinstance(graph.session, Profiled)
        found[way] = _plays(graph.run, frames), graph.session
    for peer, network, run in zip(
        PEERS, networks, (Script(networks[0]).run, Core(package, networks[1]).run), strict=True
    ):
        found[peer] = _plays(run, frames), network
    return found


def _less(times: list[list[float]], kernels: list[list[float]]) -> list[float]:
    """Each round's time per frame, less what the kernels took in the profiled twin's."""
    return [statistics.mean(a) - statistics.mean(b) for a, b in zip(times, kernels, strict=True)]


def _wide(size: int, count: int) -> list[Pixels]:
    """Images whose brightness goes up to what uint16 holds, as a 16 bit camera gives of a bright specimen."""
    random = np.random.default_rng(1)
    return [random.gamma(2, 5000, (size, size)).clip(0, 65535) for _ in range(count)]


def _difference(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.reshape(other.shape).astype(np.float64) - other).max())


def _plays(run: Callable[[Pixels], object], frames: list[Pixels]) -> Play:
    return lambda number: run(frames[number % len(frames)])


def _rounds(runs: list[float], turn: int) -> list[list[float]]:
    """A profile's runs as `take_turns` counts them: without the warm-up, and without the first of each turn."""
    counted = runs[WARM_UP:]
    return [counted[start + 1 : start + turn + 1] for start in range(0, len(counted), turn + 1)]
