"""`python -m benchmarks.capacity`: 100 microscopes before 8 GPUs simulated, and the simulation held against real runs.

Writes results/capacity.json and capacity.png. `--only simulated` or `--only shared`; `--address triton` has the real
Runtimes share NVIDIA's server (after `make test-triton`), `--address kserve://HOST:PORT --ms 1:5.2,4:14` that one,
whose batches take so long; `--readme` puts the table there.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from .._report import README, RESULTS, conditions, write_readme
from ._cases import cases, compare_alone, pipeline_in
from ._engine import register
from ._hundred import Point, as_told, saturation, sweep
from ._picture import draw
from ._shared import STAND_IN, Compared, shared
from ._table import as_markdown


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--only", choices=("simulated", "shared"))
    parser.add_argument("--address", default=STAND_IN)
    parser.add_argument("--ms", default="1:40,4:64", help="ms per batch of the server")
    parser.add_argument("--instances", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each real run")
    parser.add_argument("--simulated-seconds", type=float, default=15.0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--readme", action="store_true")
    options = parser.parse_args()
    around = conditions()
    ms = {int(batch): float(each) for batch, each in (pair.split(":") for pair in options.ms.split(","))}
    found: dict[str, Any] = {"points": {}, "took_s": 0.0}
    if options.only != "shared":
        found = sweep(options.simulated_seconds)
    compared: list[Compared] = []
    if options.only != "simulated":
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            register(folder)
            pipeline = pipeline_in(folder)
            asked = cases(ms, options.instances)
            compared = shared(options.address, asked, pipeline, options.seconds, folder)
            compared += compare_alone(pipeline, options.seconds)
    for each in compared:
        print(each.case.name, {name: round(fate.p95_ms, 1) for name, fate in each.predicted.items()}, "predicted,")
        print("   ", {name: round(fate.p95_ms, 1) for name, fate in each.measured.items()}, "measured p95")
    points: dict[str, list[Point]] = found["points"]
    content = {
        "schema": 1,
        **around,
        "assumption": "what a window costs on a GPU is assumed, and swept",
        "simulated": {name: [each.told() for each in some] for name, some in points.items()},
        "saturation": {name: saturation(some) for name, some in points.items()},
        "simulated_in_s": found["took_s"],
        "address": options.address,
        "compared": [_told(each) for each in compared],
    }
    options.out.mkdir(exist_ok=True)
    (options.out / "capacity.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if points:
        title = "100 microscopes before 8 GPUs: what a window costs there is assumed (5, 10, 20 ms)"
        draw(points, compared, title, options.out / "capacity.png")
    if options.readme:
        write_readme(as_markdown(points, compared, around, found["took_s"]), "capacity")
        print(README)
    return 0


def _told(each: Compared) -> dict[str, Any]:
    return {
        "case": each.case.name,
        "machine_load": each.machine_load,
        "predicted": {name: as_told(fate) for name, fate in each.predicted.items()},
        "measured": {name: as_told(fate) for name, fate in each.measured.items()},
    }


if __name__ == "__main__":
    raise SystemExit(main())
