"""From a frame's receipt in the core to the command at the hardware, with a network that does nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from onscope.runtime.feedback.journal import Entry, read_journal

from .._beside import Where, busy
from .._rows import Row
from ._bench import Kind, running
from ._plan import Plan

PERCENTILES = (50, 95, 99)
LOADS: tuple[Where, ...] = ("idle", "elsewhere", "beside")
LOADED = {"idle": "", "elsewhere": ", a busy process", "beside": ", a busy Python thread"}
STEPS = ("receipt to proposal", "proposal to verdict", "verdict to command")
KINDS: tuple[Kind, ...] = ("process", "thread")


def latency(plan: Plan, told: Callable[[str], object]) -> list[Row]:
    """A row for each worker, place of the rules, and load."""
    rows = []
    for worker in KINDS:
        for rules_in in KINDS:
            for where in LOADS:
                named = f"{worker} worker, rules in a {rules_in}{LOADED[where]}"
                told(f"latency: {named}")
                rows.append(_row(plan, worker, rules_in, where, named))
    return rows


def _row(plan: Plan, worker: Kind, rules_in: Kind, where: Where, named: str) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        with running(plan, Path(folder) / "run", worker, rules_in) as (runtime, feedback, source), busy(where):
            for _ in runtime.stream(source, plan.actions):
                pass
            feedback.settle()
            journal = feedback.journal
            counts = feedback.counts
        entries = [each for each in read_journal(journal) if each.done is not None and each.commands]
        if not entries:
            return Row(f"receipt to command: {named}", "no action", detail={"counts": counts})
        whole = [(each.commands[0].at_ns - (each.received_ns or 0)) / 1e6 for each in entries]
        found = {f"p{q}": round(float(np.percentile(whole, q)), 2) for q in PERCENTILES}
        times = np.array([[each.received_ns, each.at_ns, _judged(each), each.commands[0].at_ns] for each in entries])
        steps = np.median(np.diff(times) / 1e6, axis=0)
    return Row(
        f"receipt to command: {named}",
        " / ".join(f"{value:.2f}" for value in found.values()) + " ms (p50 / p95 / p99)",
        detail={
            "worker": worker,
            "rules_in": rules_in,
            "load": where,
            "latency_ms": {**found, "max": round(max(whole), 2), "n": len(whole)},
            "median_steps_ms": {name: round(float(ms), 3) for name, ms in zip(STEPS, steps, strict=True)},
            "counts": counts,
            "interval_ms": plan.interval_ms,
            "size": plan.size,
        },
    )


def _judged(entry: Entry) -> int:
    return 0 if entry.verdict is None else entry.verdict.judged_ns
