"""What each hook into Micro-Manager costs per frame while the model hangs, against a hook that only copies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .._rows import Row, at_most
from ._plan import FULL, QUICK, TINY, Case, Plan

NAMES = ("attach", "image_process_fn", "image_saved_fn")
P50_BUDGET, P99_BUDGET = 1.3, 2.0
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240.0


def measure(plan: Plan, names: Sequence[str], told: Callable[[str], object]) -> Iterator[Row]:
    """Two rows per hook and case; each acquisition has a process of its own, for there is one core per process."""
    for name in names:
        for case in plan.cases:
            what = f"{name}, {case.size}x{case.size} uint16, {1e3 / case.exposure_ms:g}/s"
            told(what)
            found = _found(name, case)
            if "hook_us" not in found:
                yield Row(what, str(found.get("error")), met=False)
                continue
            ours, plain = found["hook_us"], found["copy_us"]
            for key, limit in (("p50", P50_BUDGET), ("p99", P99_BUDGET)):
                texts = f"{ours[key]:.0f} us", f"{plain[key]:.0f} us"
                yield at_most(f"{what}, {key}", *texts, ours[key] / plain[key], limit, found)


def _found(name: str, case: Case) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.hooks._acquire", name, json.dumps(asdict(case))]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"hung for {PATIENCE_S:.0f} s"}
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            answer: dict[str, Any] = json.loads(line)
            return answer
    words = [line for line in done.stderr.splitlines() if "Error" in line] or done.stderr.strip().splitlines()
    return {"error": f"ended with {done.returncode}: {words[-1] if words else 'no word'}"}


__all__ = ["FULL", "NAMES", "QUICK", "TINY", "Case", "Plan", "measure"]
