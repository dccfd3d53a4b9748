"""Which switch interval serves an acquisition best: `python -m benchmarks.turns`, about two minutes.

The hook's time (a copy, and the account's work) under each interval, in turns within one pycro-manager acquisition,
whose engine never rests; with and without another Python thread that does not rest either.
"""

from __future__ import annotations

import numpy as np

from ._report import conditions
from .acquire import Job, run

JOBS = (
    Job("pycro-manager", "turns", 2000),
    Job("pycro-manager", "turns", 2000, busy="beside"),
    Job("pycro-manager", "turns", 800, size=2048, exposure_ms=25.0, buffer_mb=512),
    Job("pycro-manager", "turns", 800, size=2048, exposure_ms=25.0, buffer_mb=512, busy="beside"),
)


def main() -> None:
    print(f"load before: {conditions()['load_before']}\n")
    print("| acquisition | switch interval, ms | p50, us | p90, us | p99, us |\n|---|---|---|---|---|")
    for job in JOBS:
        outcome = run(job)
        what = f"{job.size}x{job.size}, {1e3 / job.exposure_ms:g}/s, {job.busy}"
        if outcome.error:
            print(f"| {what} | {outcome.error} | | | |")
            continue
        for interval, times in outcome.found["hook_us"].items():
            p50, p90, p99 = np.percentile(times, (50, 90, 99))
            print(f"| {what} | {interval} | {p50:.0f} | {p90:.0f} | {p99:.0f} |", flush=True)


if __name__ == "__main__":
    main()
