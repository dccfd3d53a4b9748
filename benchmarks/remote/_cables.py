"""The link over cables between two network namespaces: encrypted, as anything beyond one machine is."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onscope.runtime.remote import Secret
from onscope.runtime.remote.wire import LOOPBACK

from .._rows import Row, spread
from ._bench import Told, bare, drive, far, frames_of, running
from ._net import THERE, cable, can_make
from ._plan import Cable, Plan

ENOUGH = 0.9
LOAD = 0.5
"""Of a bare socket's frames per second, at which the latency is measured."""
FEWEST, RUN_S, PACED_S = 16, 8.0, 20.0


def cables(plan: Plan, told: Told) -> list[Row]:
    """Frames per second over each cable against a bare socket's in turns, and what the way adds to the latency."""
    if not can_make():
        told("cables: left out, they need Linux, root, ip, tc and nft")
        return []
    rows = []
    for name, one in plan.cables.items():
        told(f"cable of {name}")
        rows += _cable(plan, name, one)
    return rows


@contextmanager
def _reached(port: int, one: Cable) -> Iterator[tuple[str, int]]:
    """Where what listens there is reached: through a relay on this side of the cable, or at the end of it."""
    if not one.delay_s:
        yield THERE, port
        return
    with far("delay", THERE, str(port), str(one.delay_s)) as relay:
        yield LOOPBACK, relay


def _cable(plan: Plan, name: str, one: Cable) -> list[Row]:
    spec, pixels = frames_of(plan)
    rate = one.rate
    with tempfile.TemporaryDirectory() as place, cable(rate, one.loss) as inside:
        key = Path(place, "key")
        secret = Secret.of(key)
        with (
            far("box", place, THERE, str(key), inside=inside) as box,
            far("echo", THERE, inside=inside) as echo,
            _reached(box, one) as (host, port),
            _reached(echo, one) as (other_host, other),
            running(f"tcp://{host}:{port}?pack=never#{secret.key}", spec, Path(place)) as it,
        ):
            drive(it, pixels, 4)
            ours, theirs = [], []
            frames = max(FEWEST, min(plan.frames, int(RUN_S * rate / spec.nbytes)))
            for _ in range(plan.pairs * one.rounds):
                theirs.append(frames / bare(other, pixels, frames, other_host))
                ours.append(frames / drive(it, pixels, frames)[0])
            fps = LOAD * statistics.median(theirs)
            paced = max(FEWEST, min(plan.paced, int(PACED_S * fps)))
            late = spread(drive(it, pixels, paced, fps)[1])
        with running("process", spec, Path(place)) as it:
            drive(it, pixels, 4)
            near = spread(drive(it, pixels, paced, fps)[1])
    ratios = [mine / its for mine, its in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ratios)
    size = f"{plan.side} x {plan.side} uint16 over a cable of {name}, encrypted"
    detail = {"ours_fps": ours, "bare_fps": theirs, "latency": late, "latency_near": near, "fps": fps}
    ours_fps, bare_fps = (f"{statistics.median(each):.1f} fps" for each in (ours, theirs))
    bare_fps = f"{bare_fps} bare; ratios of {len(ratios)} rounds: {min(ratios):.2f} to {max(ratios):.2f}"
    rows = [Row(f"{size}, there and back", ours_fps, bare_fps, ratio, "at least 0.9", ratio >= ENOUGH, detail)]
    for which in ("p50", "p99"):
        added, one_way = late[which] - near[which], 1e3 * (pixels[0].nbytes / rate + one.delay_s)
        words = f"{late[which]:.1f} ms, {added:.1f} ms more than in a process here"
        rows.append(Row(f"{size}, at {fps:.0f} fps: {which}", words, f"{2 * one_way:.1f} ms on the way", None))
    return rows
