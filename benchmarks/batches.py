"""What batches of windows gain over windows one by one: `python -m benchmarks.batches`, about a minute.

The compiled graph of a shipped package and the same for batches, on ONNX Runtime's CPU with one thread: the same eight
windows, one by one and in batches, turn by turn. Writes results/batches.json and batches.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from rich.console import Console

from onscope.runtime import Package, now_ns
from onscope.runtime.engines import Session, open_session
from onscope.runtime.graph import HostScalars, Raw, StageRequest, compile_group
from onscope.runtime.graph.batch import batched

from ._report import RESULTS, as_json, as_markdown, conditions, show
from ._rows import Row, spread

WINDOWS = 8
SIZES = (1, 2, 4, 8)


@dataclass(frozen=True)
class Load:
    """A shipped package on frames of so many pixels, and how often its windows are run."""

    package: str
    shape: tuple[int, int]
    rounds: int


LOADS = (Load("mitosis-cells", (64, 64), 60), Load("care-beads", (256, 256), 12))
TINY = (Load("mitosis-cells", (64, 64), 1),)


def measure(loads: Sequence[Load] = LOADS, tell: Callable[[str], object] = print) -> list[Row]:
    """One row for each package and size of batch."""
    rows: list[Row] = []
    for load in loads:
        tell(f"measuring {load.package}")
        rows += _rows(load)
    return rows


def _rows(load: Load) -> list[Row]:
    package, raw = Package.load(f"zoo/{load.package}"), Raw(load.shape, "uint16")
    stage = StageRequest(
        "stage",
        package.weights,
        package.weights_sha256,
        package.package_sha256,
        package.inputs,
        package.outputs,
        settings=MappingProxyType(dict(package.settings)),
    )
    compiled = compile_group([stage], raw)
    made = batched(compiled, most=WINDOWS)
    random = np.random.default_rng(0)
    frames = [random.integers(100, 2000, load.shape).astype(np.uint16) for _ in range(WINDOWS)]
    feeds = [[frame, *HostScalars(compiled.scalars, raw).values([frame])] for frame in frames]
    single, many = open_session(compiled.path, "cpu", 1), open_session(made.path, "cpu", 1)
    # Stacked beforehand: what a server does while the batch before runs.
    stacked = {size: [_stack(feeds[at : at + size]) for at in range(0, WINDOWS, size)] for size in SIZES}
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    alone: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(load.rounds + 1):
        for size in SIZES:
            alone[size].append(_ms(single, feeds))
            times[size].append(_ms(many, stacked[size]))
    rows = []
    for size in SIZES:
        ours, against = (np.array(each[size][1:]) / WINDOWS for each in (times, alone))  # the first warms up
        what = f"{load.package}, {load.shape[0]}x{load.shape[1]} uint16, batches of {size}"
        ratio = round(float(np.median(against / ours)), 3)
        detail = {"batched_ms": spread(list(ours), 3), "alone_ms": spread(list(against), 3)}
        together, apart = (f"{1e3 / float(np.median(each)):.0f} windows/s" for each in (ours, against))
        rows.append(Row(what, together, apart, ratio, detail=detail))
    return rows


def _stack(feeds: Sequence[Sequence[Any]]) -> list[Any]:
    return [np.stack(each) for each in zip(*feeds, strict=True)]


def _ms(session: Session, feeds: Sequence[Sequence[Any]]) -> float:
    """All windows, in milliseconds."""
    start = now_ns()
    for feed in feeds:
        session.run(feed)
    return (now_ns() - start) / 1e6


def main(arguments: Sequence[str]) -> None:
    around = conditions()
    quick = "--quick" in arguments
    rows = measure(TINY if quick else LOADS)
    show(rows, Console())
    if not quick:
        (RESULTS / "batches.json").write_text(as_json(rows, around), encoding="utf-8")
        (RESULTS / "batches.md").write_text(as_markdown(rows, around), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
