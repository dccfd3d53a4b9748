"""What packing gains over each link, and what it costs where it does not pay, against `pack=never` in turns."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from onscope.runtime import FrameSpec, Runtime
from onscope.runtime._frame import Pixels
from onscope.runtime.service import LinkCounters

from .._material import images
from .._rows import Row, at_least, at_most, spread
from ._bench import DIFFERENT, Told, behind, drive, far, running
from ._plan import Plan

WARM_S = 1.5
"""Until both ends know how fast the link is."""
PACED_LINK = "1 Gbit/s"


@contextmanager
def both(port: int, spec: FrameSpec, folder: Path) -> Iterator[tuple[Runtime, Runtime]]:
    """Two runtimes on one box, of which the first packs where it pays, the second never."""
    worker = f"tcp://127.0.0.1:{port}"
    with (
        running(f"{worker}?pack=auto", spec, folder / "auto") as auto,
        running(f"{worker}?pack=never", spec, folder / "never") as never,
    ):
        yield auto, never


def packing(plan: Plan, told: Told) -> list[Row]:
    """Frames per second of camera-like noise over each link; latency at a pace of frames that cannot be packed."""
    spec = FrameSpec((plan.side, plan.side), "uint16", camera="cam")
    noise = images(plan.side, DIFFERENT)
    chance = np.random.default_rng(1)
    dense = [chance.integers(0, 65535, spec.shape, np.uint16) for _ in range(DIFFERENT)]
    rows = []
    with tempfile.TemporaryDirectory() as place, far("box", place) as box:
        for name, rate in plan.links.items():
            told(f"packing over {name}")
            with behind(box, rate) as port, both(port, spec, Path(place)) as (auto, never):
                rows.append(_gain(plan, name, rate is not None, auto, never, noise))
                if name == PACED_LINK:
                    rows += _cost(plan, name, auto, never, dense)
    return rows


def _gain(plan: Plan, name: str, limited: bool, auto: Runtime, never: Runtime, pictures: list[Pixels]) -> Row:
    _warm(auto, never, pictures, plan)
    counters = _counters(auto)
    sent, saved = counters.sent_bytes, counters.saved_bytes
    ours, theirs = [], []
    for _ in range(plan.pairs):
        theirs.append(plan.frames / drive(never, pictures, plan.frames)[0])
        ours.append(plan.frames / drive(auto, pictures, plan.frames)[0])
    sent, saved = counters.sent_bytes - sent, counters.saved_bytes - saved
    ratio = statistics.median(mine / its for mine, its in zip(ours, theirs, strict=True))
    return at_least(
        f"{plan.side} x {plan.side} noise over {name}, there and back, packed where it pays",
        f"{statistics.median(ours):.1f} fps",
        f"{statistics.median(theirs):.1f} fps never packed",
        ratio,
        1.2 if limited else 0.95,
        {"auto_fps": ours, "never_fps": theirs, "sent_bytes": sent, "saved_bytes": saved},
    )


def _cost(plan: Plan, name: str, auto: Runtime, never: Runtime, pictures: list[Pixels]) -> list[Row]:
    _warm(auto, never, pictures, plan)
    before = _counters(auto).saved_bytes
    found: dict[str, list[float]] = {"auto": [], "never": []}
    for _ in range(plan.pairs):
        found["never"] += drive(never, pictures, plan.paced, plan.fps)[1]
        found["auto"] += drive(auto, pictures, plan.paced, plan.fps)[1]
    spreads = {which: spread(values) for which, values in found.items()}
    detail = {**spreads, "saved_bytes": _counters(auto).saved_bytes - before}
    return [
        at_most(
            f"latency {which} over {name} at {plan.fps:g} fps of frames that cannot be packed",
            f"{spreads['auto'][which]:.2f} ms",
            f"{spreads['never'][which]:.2f} ms never packed",
            spreads["auto"][which] / spreads["never"][which],
            1.1,
            detail,
        )
        for which in ("p50", "p99")
    ]


def _warm(auto: Runtime, never: Runtime, pictures: list[Pixels], plan: Plan) -> None:
    for it in (never, auto):
        seconds = 0.0
        while seconds < WARM_S:
            seconds += drive(it, pictures, plan.frames)[0]


def _counters(it: Runtime) -> LinkCounters:
    found = getattr(it._path.supervisor.link, "counters", None)
    assert isinstance(found, LinkCounters)
    return found
