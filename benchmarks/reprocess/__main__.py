"""Recordings computed again with Dask: `python -m benchmarks.reprocess [--quick] [--only speed memory] [--readme]`.

Writes results/reprocess.json and .md, reprocess-speed.png and reprocess-memory.png.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from onscope.runtime._cores import available_cores

from .._report import RESULTS, as_json, as_markdown, conditions, show, write_readme
from .._rows import Row, at_most
from ._material import recorded
from ._memory import measure as measure_memory
from ._picture import draw_memory, draw_speed
from ._speed import CHUNK, PACKAGE, Speed
from ._speed import measure as measure_speed

RISE = 1.1
WAITS = "scripted:slow=50@*"
"""An engine that takes 50 ms per window without needing the processor, as one on a GPU."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reprocess", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=("speed", "memory"), default=("speed", "memory"))
    parser.add_argument("--readme", action="store_true", help="put the table into benchmarks/README.md, and end")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.readme:
        write_readme((RESULTS / "reprocess.md").read_text(encoding="utf-8"), "reprocess")
        return 0
    around, console, rows = conditions(), Console(), list[Row]()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if "speed" in options.only:
            rows += _speed(folder, options.quick, options.out, around, console)
        if "memory" in options.only:
            rows += _memory(folder, options.quick, options.out, console)
    show(rows, console)
    if not options.quick:
        (options.out / "reprocess.json").write_text(as_json(rows, around), encoding="utf-8")
        (options.out / "reprocess.md").write_text(as_markdown(rows, around), encoding="utf-8")
    return 0


def _speed(folder: Path, quick: bool, out: Path, around: dict[str, Any], console: Console) -> list[Row]:
    plans = [("cpu", 24, 128), (WAITS, 12, 128)] if quick else [("cpu", 400, 512), (WAITS, 240, 256)]
    workers, chunks, rounds = ((1, 2), (4,), 1) if quick else ((1, 2, 3, 4), (1, 4, 64), 2)
    found = []
    for number, (provider, frames, size) in enumerate(plans):
        recording = recorded(folder / f"speed-{number}", frames, size, plain=False)
        of = folder / f"of-{number}"
        of.mkdir()
        found.append(measure_speed(recording, of, frames, size, provider, workers, chunks, rounds, console.print))
    if not quick:
        title = f"{PACKAGE} on {available_cores()} cores, load before {around['load_before'][0]}"
        draw_speed(found, available_cores(), title, out / "reprocess-speed.png")
    return [row for each in found for row in _rows(each)]


def _rows(speed: Speed) -> list[Row]:
    what = f"{'the CPU' if speed.provider == 'cpu' else 'an engine that waits 50 ms'}, {speed.size}x{speed.size}"
    rows = [
        _row(f"{what}: {n} worker{'s' * (n > 1)}, tasks of {CHUNK}", speed, each)
        for n, each in speed.by_workers.items()
    ]
    rows += [_row(f"{what}: 2 workers, tasks of {n}", speed, speed.by_chunk[n]) for n in sorted(speed.by_chunk)]
    first = rows[0]
    return [Row(first.what, first.ours, first.against, first.ratio, detail=asdict(speed)), *rows[1:]]


def _row(what: str, speed: Speed, seconds: list[float]) -> Row:
    ratio = median(alone / took for alone, took in zip(speed.alone, seconds, strict=True))
    ours, against = (f"{speed.frames / median(each):.1f} frames/s" for each in (seconds, speed.alone))
    return Row(what, ours, f"{against}, one process, {median(speed.busy):.1f} cores busy", round(ratio, 3))


def _memory(folder: Path, quick: bool, out: Path, console: Console) -> list[Row]:
    frames, size, limit_mb, workers = (24, 512, 600, 1) if quick else (1500, 1024, 500, 2)
    recording = recorded(folder / "memory", frames, size, plain=True)
    whole_mb = frames * size * size * 2 / 1e6
    found = measure_memory(recording, folder, whole_mb, limit_mb, workers)
    words = f"{frames} frames of {size}x{size}, {whole_mb:,.0f} MB, {workers} workers of at most {limit_mb} MB"
    console.print(f"memory: at most {found.most():.0f} MB, {found.rise():.3f} of what it was early")
    if not quick:
        draw_memory(found, words, out / "reprocess-memory.png")
    detail = {
        "most_mb": round(found.most(), 1),
        "seconds": round(found.seconds, 1),
        "restarts": len(found.workers) - workers,
    }
    against = f"the second fifth; {len(found.workers)} processes in all"
    return [at_most(f"{words}: the last fifth", f"at most {found.most():.0f} MB", against, found.rise(), RISE, detail)]


if __name__ == "__main__":
    raise SystemExit(main())
