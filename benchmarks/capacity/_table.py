"""The README's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._hundred import Point, saturation
from ._shared import Compared

SHOWN = (0.8, 0.95, 1.0, 1.1, 1.5, 2.0)


def as_markdown(
    points: dict[str, list[Point]], compared: Sequence[Compared], around: dict[str, Any], took_s: float
) -> str:
    host = around["machine"]
    lines = [
        f"{host['cpu']}, {host['cores']} cores, {host['system']}; {around['taken'][:16].replace('T', ' ')} UTC, load "
        f"before the run {around['load_before'][:1]}; {sum(map(len, points.values()))} simulations in {took_s:.0f} s",
        "",
    ]
    if points:
        lines += [
            "What a window costs on a GPU is **assumed**. Load: windows asked of the 8 GPUs over what they can do one "
            "by one. In each cell: share run, p95 in ms.",
            "",
            "| assumed | all are run up to | class | " + " | ".join(f"load {load:g}" for load in SHOWN) + " |",
            "|" + "---|" * (3 + len(SHOWN)),
        ]
        for name, some in points.items():
            if name not in ("microscopes", "keep_newest:2"):  # the latter is among the assumed costs
                for priority, word in ((1, "first"), (2, "second")):
                    by_load = {each.load: each.outcome.priorities[priority] for each in some}
                    cells = [f"{by_load[load].ran:.1%}, {by_load[load].p95_ms:.0f}" for load in SHOWN]
                    best = saturation(some)
                    ends = f"load {best:g}" if best < some[-1].load else "the whole sweep"
                    ends = ends if priority == 1 else ""
                    lines.append(f"| {_name(name) if priority == 1 else ''} | {ends} | {word} | {' | '.join(cells)} |")
        last = max(
            (each for each in points["microscopes"] if each.outcome.whole.ran >= 0.99), key=_scopes, default=None
        )
        if last is not None:
            words = (
                f"At {last.fps:g} frames/s and {last.ms:g} ms (assumed) per window all frames of up to {last.scopes} "
            )
            lines += [
                "",
                f"{words}microscopes are run, a load of {last.load:g}; the next that was looked at loses some.",
            ]
        lines.append("")
    if compared:
        lines += [
            "| real runs, predicted / measured | p50 ms | p95 ms | p99 ms | run | load of the machine |",
            "|---|---|---|---|---|---|",
        ]
        for each in compared:
            for name, ours in each.predicted.items():
                theirs = each.measured[name]
                cells = [
                    f"{mine:.1f} / {real:.1f} = {mine / real:.2f}"
                    for mine, real in (
                        (ours.p50_ms, theirs.p50_ms),
                        (ours.p95_ms, theirs.p95_ms),
                        (ours.p99_ms, theirs.p99_ms),
                    )
                ]
                cells.append(f"{ours.ran:.1%} / {theirs.ran:.1%} = {ours.ran / theirs.ran:.2f}")
                what = each.case.name if name == "all" else f"... {name}"
                lines.append(f"| {what} | {' | '.join(cells)} | {each.machine_load:.1f} |")
    return "\n".join(lines) + "\n"


def _scopes(point: Point) -> int:
    return point.scopes


def _name(name: str) -> str:
    if name.endswith(" ms") and name[0].isdigit():
        return f"{name} per window, keep_newest:2"
    return f"10 ms, {name}" if name != "batches" else "10 ms, keep_newest:2, batches of 8 cost 40 ms"
