"""The link over cables between two network namespaces: encrypted, as anything beyond one machine is."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from onscope.runtime.remote import Secret

from .._rows import Row, spread
from ._bench import Told, bare, drive, far, frames_of, running
from ._net import THERE, cable, can_make
from ._plan import Plan

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
    for name, (rate, loss) in plan.cables.items():
        told(f"cable of {name}")
        rows += _cable(plan, name, rate, loss)
    return rows


def _cable(plan: Plan, name: str, rate: float, loss: float) -> list[Row]:
    spec, pixels = frames_of(plan)
    with tempfile.TemporaryDirectory() as place, cable(rate, loss) as inside:
        key = Path(place, "key")
        secret = Secret.of(key)
        with (
            far("box", place, THERE, str(key), inside=inside) as box,
            far("echo", THERE, inside=inside) as echo,
            running(f"tcp://{THERE}:{box}?pack=never#{secret.key}", spec, Path(place)) as it,
        ):
            drive(it, pixels, 4)
            ours, theirs = [], []
            frames = max(FEWEST, min(plan.frames, int(RUN_S * rate / spec.nbytes)))
            for _ in range(plan.pairs):
                theirs.append(frames / bare(echo, pixels, frames, THERE))
                ours.append(frames / drive(it, pixels, frames)[0])
            fps = LOAD * statistics.median(theirs)
            paced = max(FEWEST, min(plan.paced, int(PACED_S * fps)))
            late = spread(drive(it, pixels, paced, fps)[1])
        with running("process", spec, Path(place)) as it:
            drive(it, pixels, 4)
            near = spread(drive(it, pixels, paced, fps)[1])
    ratio = statistics.median(mine / its for mine, its in zip(ours, theirs, strict=True))
    size = f"{plan.side} x {plan.side} uint16 over a cable of {name}, encrypted"
    detail = {"ours_fps": ours, "bare_fps": theirs, "latency": late, "latency_near": near, "fps": fps}
    ours_fps, bare_fps = (f"{statistics.median(each):.1f} fps" for each in (ours, theirs))
    rows = [
        Row(f"{size}, there and back", ours_fps, f"{bare_fps} bare", ratio, "at least 0.9", ratio >= ENOUGH, detail)
    ]
    for which in ("p50", "p99"):
        added, one_way = late[which] - near[which], 1e3 * pixels[0].nbytes / rate
        words = f"{late[which]:.1f} ms, {added:.1f} ms more than in a process here"
        rows.append(Row(f"{size}, at {fps:.0f} fps: {which}", words, f"{2 * one_way:.1f} ms on the cable", None))
    return rows
