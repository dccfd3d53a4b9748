"""The recorder's throughput against bare writes of the same chunks, and the formats beside each other."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from onscope.runtime._frame import Pixels

from .._rows import Row, at_least, spread
from ._frames import KINDS, spread_over
from ._plan import Case, Plan
from ._ways import Way, bare_tensorstore, bare_zarr, from_slots, through_save

BUDGET = 0.9
Tell = Callable[[str], object]
OURS: Mapping[str, Way] = {"Recording.save": through_save(), "from a Runtime's slots": from_slots}
BARE: Mapping[str, Way] = {"bare TensorStore": bare_tensorstore, "bare zarr-python": bare_zarr}
OTHERS: Mapping[str, Way] = {"ome-tiff": through_save("ome-tiff"), "ndtiff": through_save("ndtiff")}


def places(plan: Plan) -> dict[str, Path]:
    """Where is written: the disk that temporary files are on, and memory, where nothing is waited for."""
    memory = Path("/dev/shm")
    found = {"disk": Path(tempfile.gettempdir())}
    return found | ({"memory": memory} if plan.everywhere and memory.is_dir() else {})


def measure_recorder(plan: Plan, tell: Tell) -> Iterator[Row]:
    """Each way of the recorder against each bare one."""
    for case, kind, where, place in _cases(plan, tell):
        frames = spread_over(KINDS[kind](case.size), case.frames)
        rates = in_turns({**OURS, **BARE}, frames, place, plan.rounds)
        for mine in OURS:
            for theirs in BARE:
                what = f"{mine}, {case.size}x{case.size} uint16 {kind}, {where}, against {theirs}"
                yield _row(what, rates, mine, theirs, BUDGET)


def measure_formats(plan: Plan, tell: Tell) -> Iterator[Row]:
    """Each other format against OME-Zarr, both through `Recording.save`."""
    default = {"ome-zarr": through_save()}
    for case, kind, where, place in _cases(plan, tell):
        frames = spread_over(KINDS[kind](case.size), case.frames)
        rates = in_turns({**default, **OTHERS}, frames, place, plan.rounds)
        for name in OTHERS:
            what = f"{name} against ome-zarr, {case.size}x{case.size} uint16 {kind}, {where}"
            yield _row(what, rates, name, "ome-zarr", None)


def in_turns(ways: Mapping[str, Way], frames: Sequence[Pixels], place: Path, rounds: int) -> dict[str, list[float]]:
    """Frames per second of each way, round by round; who begins changes from round to round."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            folder = Path(tempfile.mkdtemp(dir=place))
            try:
                rates[name].append(ways[name](folder, frames))
            finally:
                shutil.rmtree(folder)
    return rates


def _cases(plan: Plan, tell: Tell) -> Iterator[tuple[Case, str, str, Path]]:
    for where, place in places(plan).items():
        for case in plan.cases:
            for kind in plan.kinds:
                tell(f"  {case.size}x{case.size} {kind}, {where}")
                yield case, kind, where, place


def _row(what: str, rates: Mapping[str, Sequence[float]], mine: str, theirs: str, budget: float | None) -> Row:
    ratio = float(np.median([one / other for one, other in zip(rates[mine], rates[theirs], strict=True)]))
    ours, against = (f"{np.median(rates[name]):.0f} frames/s" for name in (mine, theirs))
    detail = {name: spread(rates[name], 1) for name in (mine, theirs)}
    if budget is None:
        return Row(what, ours, against, round(ratio, 3), detail=detail)
    return at_least(what, ours, against, ratio, budget, detail)
