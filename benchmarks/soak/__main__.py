"""A long run, judged: `python -m benchmarks.soak --minutes 60 --fps 100 --size 512`. Exit code 0: nothing was wrong."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from .._report import RESULTS, conditions
from ._picture import draw
from ._run import Account, Plan, soak
from ._verdict import Verdict, judge
from ._vitals import Vitals

LINES = 60
TRY_S = 8.0
RATES = (200, 160, 125, 100, 80, 64, 50, 40, 32, 25, 20, 16, 12.5, 10, 8, 6.4, 5)
MOST_BYTES_PER_S = 1e9
MARGIN = 0.8
"""Of the highest rate that held for some seconds: what an hour can be expected to hold."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--fps", default="100", help="frames per second, or `highest`: searched for, before the run")
    parser.add_argument("--size", type=int, default=512, help="pixels of a side")
    parser.add_argument("--out", type=Path, help=f"JSON file; a PNG beside it (default: {RESULTS.name}/soak-SIZE.json)")
    parser.add_argument("--folder", type=Path, help="where to record (default: a temporary folder)")
    options = parser.parse_args()
    out: Path = options.out or RESULTS / f"soak-{options.size}.json"
    if out.is_dir():  # said now, not after the hour
        parser.error(f"--out: found the folder {out}, expected a file: {out / f'soak-{options.size}.json'}, say")
    around = conditions()
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary)
        fps = highest(options.size, folder, print) if options.fps == "highest" else float(options.fps)
        seconds = options.minutes * 60
        plan = Plan(seconds, fps, options.size, max(1.0, min(60.0, seconds / LINES)))
        account = soak(plan, _new(folder / "run"), lambda vitals: print(_line(vitals), flush=True))
    verdict = judge(account)
    write(out, plan, account, verdict, around)
    print(f"written: {out}, {out.with_suffix('.png').name}")
    print(f"memory growth in the second half, MB: {verdict.memory_growth_mb}; latency drift {verdict.latency_drift}")
    print(f"{account.frames} frames, {verdict.unaccounted} unaccounted, {verdict.hash_mismatches} mismatches")
    print("\n".join(verdict.failures) or "nothing was wrong")
    return 1 if verdict.failures else 0


def highest(size: int, folder: Path, tell: Callable[[str], object]) -> float:
    """The highest of some rates that holds for a few seconds without a lost frame, less a margin."""
    possible = [fps for fps in RATES if fps * size * size * 2 <= MOST_BYTES_PER_S]
    for number, fps in enumerate(possible):
        account = soak(Plan(TRY_S, fps, size, TRY_S), _new(folder / f"try-{number}"), until_loss=True)
        shutil.rmtree(folder / f"try-{number}")
        tell(f"{fps:g}/s: {'holds' if not account.lost_by_camera else 'too fast'}")
        if not account.lost_by_camera and not account.error:
            return fps * MARGIN
    return RATES[-1]


def write(out: Path, plan: Plan, account: Account, verdict: Verdict, around: dict[str, object]) -> None:
    """The JSON file, and the picture beside it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    content = {"schema": 1, **around, "plan": asdict(plan), "verdict": asdict(verdict), **asdict(account)}
    out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    title = f"{account.frames} frames of {plan.size}x{plan.size} at {plan.fps:g}/s"
    draw(account.vitals, title, out.with_suffix(".png"))


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _line(vitals: Vitals) -> str:
    submit, latency = vitals.submit_us, vitals.latency_ms
    memory = " ".join(f"{name} {mb:.0f}" for name, mb in vitals.own_mb.items())
    counts = " ".join(f"{state} {count}" for state, count in vitals.ledger.items() if count)
    return (
        f"{vitals.at_s:7.0f} s  {vitals.frames_per_s:6.1f} frames/s {vitals.results_per_s:6.1f} results/s  "
        f"submit {submit.get('p50', 0):.0f}/{submit.get('p99', 0):.0f} us  "
        f"latency {latency.get('p50', 0):.1f}/{latency.get('p99', 0):.1f} ms  MB: {memory} shm {vitals.shm_mb:.0f}  "
        f"{counts}  saved {vitals.saved} checked {vitals.checked}"
    )


if __name__ == "__main__":
    sys.exit(main())
