"""Our engines against PyTorch on the same U-Net, frame to frame, copies included, in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from onscope.runtime import Pipeline, ProviderError, Stage
from onscope.runtime._frame import Pixels
from onscope.runtime.worker import Chain

from .._material import images
from .._rows import Row, at_most
from ..graphs._packages import unet
from ..graphs._turns import Play, medians, ratio, spreads, take_turns
from ._gpus import engines, opened
from ._plan import Plan
from ._torch import TYPES, Net, player

PEERS = {"PyTorch": False, "torch.compile with CUDA graphs": True}
BUDGET = 1.0
TURN = 50


def peers(
    plan: Plan, folder: Path, told: Callable[[str], object], device: str = "cuda", ours: list[str] | None = None
) -> Iterator[Row]:
    """A row per engine, size, precision and peer; `ours` are the engines (None: those that run here)."""
    package = unet(folder / "peers", plan.features)
    for size in plan.sizes:
        frames = images(size, 8)
        low, high = map(float, np.percentile(frames[0], (1.0, 99.8)))
        for precision in (each for each in plan.precisions if each in TYPES):
            theirs = {
                name: _theirs(player(Net(package.weights, low, high), size, precision, device, compiled), frames)
                for name, compiled in PEERS.items()
            }
            for engine in engines(told) if ours is None else ours:
                told(f"against PyTorch: {engine}, {size}x{size}, {precision}")
                try:
                    chain = opened(
                        Pipeline([Stage("net", package, precision=precision, normalise="frozen")]), engine, size
                    )
                except ProviderError as refusal:
                    told(f"not measured: {refusal}")
                    continue
                times = take_turns({engine: _ours(chain, frames), **theirs}, plan.rounds, min(TURN, plan.burst))
                for name in theirs:
                    mine, other = medians(times[engine]), medians(times[name])
                    yield at_most(
                        f"U-Net of {plan.features} features, {size}x{size}, {precision}, {engine} against {name}",
                        f"{np.median(mine):.3g} ms",
                        f"{np.median(other):.3g} ms",
                        ratio(mine, other),
                        BUDGET,
                        {"ms": spreads({each: times[each] for each in (engine, name)})},
                    )


def _ours(chain: Chain, frames: list[Pixels]) -> Play:
    return lambda number: chain.run([frames[number % len(frames)]])


def _theirs(play: Callable[[Pixels], Pixels], frames: list[Pixels]) -> Play:
    return lambda number: play(frames[number % len(frames)])
