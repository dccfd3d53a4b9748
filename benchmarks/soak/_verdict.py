"""What a run proves, in numbers with limits."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ._run import Account
from ._vitals import Vitals

SLOPE_LIMIT, SLOPE_LIMIT_MB = 0.05, 16.0
"""Growth of a process's memory over the second half of the run: failed when above both."""
DRIFT_LIMIT = 1.5
"""Median latency of the last tenth in parts of the first tenth's."""


@dataclass(frozen=True)
class Verdict:
    """`memory_growth_mb` by process, `latency_drift` (ratio), counts that must be 0; `failures` in words."""

    memory_growth_mb: dict[str, float]
    latency_drift: float
    unaccounted: int
    hash_mismatches: int
    unrecorded: int
    failures: tuple[str, ...]


def judge(account: Account) -> Verdict:
    """Memory is judged on the second half: until then the ledger's rows and allocators still fill up."""
    vitals = account.vitals
    half = vitals[len(vitals) // 2 :]
    growth = {name: _growth_mb(half, name) for name in (vitals[-1].own_mb if vitals else {})}
    drift = _drift(vitals)
    mismatches = account.wrong_in_results + account.wrong_on_disk
    failures = [
        f"memory of the {name} grew by {mb:.0f} MB"
        for name, mb in growth.items()
        if mb > max(SLOPE_LIMIT_MB, SLOPE_LIMIT * half[0].own_mb.get(name, 0.0))
    ]
    if drift > DRIFT_LIMIT:
        failures.append(f"latency drifted to {drift:.2f} of its first tenth")
    for count, words in (
        (account.unaccounted, "frames are unaccounted for"),
        (mismatches, "frames are not what the camera gave"),
        (account.unrecorded, "frames were not seen on the disk"),
        (account.lost_by_camera, "frames were lost because they were not taken in time"),
        (account.ledger.get("failed", 0), "frames failed"),
    ):
        if count:
            failures.append(f"{count} {words}")
    if account.error:
        failures.append(account.error)
    return Verdict(growth, drift, account.unaccounted, mismatches, account.unrecorded, tuple(failures))


def _growth_mb(vitals: Sequence[Vitals], name: str) -> float:
    """Growth in megabytes along the least-squares line through these intervals."""
    points = [(one.at_s, one.own_mb[name]) for one in vitals if name in one.own_mb]
    if len(points) < 3:
        return 0.0
    at_s, own_mb = np.array(points).T
    slope = float(np.polyfit(at_s, own_mb, 1)[0])
    return round(slope * float(at_s[-1] - at_s[0]), 2)


def _drift(vitals: Sequence[Vitals]) -> float:
    medians = [one.latency_ms["p50"] for one in vitals if one.latency_ms]
    if len(medians) < 2:
        return 1.0
    tenth = max(1, len(medians) // 10)
    return round(statistics.median(medians[-tenth:]) / statistics.median(medians[:tenth]), 3)
