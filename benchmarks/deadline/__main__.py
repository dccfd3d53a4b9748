"""A budget of time under scripted load: `python -m benchmarks.deadline [--source demo scripted] [--seconds 180]`.

For each source a picture and a JSON file in results/. Exit code 0: every account adds up.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from onscope.runtime import Budget

from .._report import RESULTS, conditions
from ._engine import factor, register
from ._picture import draw
from ._run import PIECES, run

MS = 12.0
STEPS = ("roi=0.5", "every=2", "pass-through")
WORDS = ("whole pipeline", "roi=0.5", "roi=0.5, every=2", "pass-through")
SOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "demo": ("micromanager:demo", {"exposure_ms": 40.0}),
    "scripted": ("scripted:fps=25,n=1000000,size=512,jitter=0.3", {}),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deadline", description=__doc__)
    parser.add_argument("--source", nargs="+", choices=sorted(SOURCES), default=sorted(SOURCES))
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--budget", type=float, default=50.0, help="ms")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    around, failed = conditions(), False
    with tempfile.TemporaryDirectory() as temporary:
        register(Path(temporary))
        for name in options.source:
            source, more = SOURCES[name]
            budget = Budget(options.budget, STEPS)
            came = run(
                source, more, budget, Path(temporary), ms=MS, seconds=options.seconds, tell=print,
            )  # fmt: skip
            above = sum(latency > options.budget for _, latency, _ in came.results) / max(1, len(came.results))
            title = f"{name}: budget {options.budget:g} ms, {len(came.events)} changes, {above:.1%} of results over it"
            path = options.out / f"deadline-{name}"
            draw(came, WORDS, options.budget, lambda s: MS * factor(PIECES, s), title, path.with_suffix(".png"))
            content = {"schema": 1, **around, "title": title, "events": came.events, "counts": came.counts}
            path.with_suffix(".json").write_text(json.dumps(content) + "\n", encoding="utf-8")
            print(title, came.counts, "adds up" if came.adds_up else "DOES NOT ADD UP")
            failed |= not came.adds_up
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
