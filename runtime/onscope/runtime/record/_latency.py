"""`latency.json`: percentiles of every step, from the table of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import RecordError
from ._files import write_json
from ._tables import read_table
from .provenance import machine, versions

PERCENTILES = (50, 95, 99)
LOOK_AHEAD = "look_ahead_ms"


def percentiles(milliseconds: Sequence[float] | npt.NDArray[Any]) -> dict[str, float]:
    """p50, p95, p99, max and mean of some times; linear between neighbours (Hyndman and Fan 1996, definition 7).

    Empty input gives an empty mapping.
    """
    values = np.asarray(milliseconds, dtype=float)
    if values.size == 0:
        return {}
    found = np.percentile(values, PERCENTILES)
    summary = {f"p{p}": float(value) for p, value in zip(PERCENTILES, found, strict=True)}
    return summary | {"max": float(values.max()), "mean": float(values.mean())}


def step_columns(results: Any) -> dict[str, npt.NDArray[Any]]:
    """Times in ms by step, of the results that it had a part in; "latency" is the whole way.

    The wait for a window's later frames is none of them: no computer makes it shorter.
    """
    names = [name for name in results.column_names if name.endswith("_ms") and name != LOOK_AHEAD]
    return {name.removesuffix("_ms"): results[name].drop_null().to_numpy() for name in names}


def frames_per_second(delivered_ns: npt.NDArray[Any]) -> float:
    """Results per second between the first and the last one; 0 for fewer than two."""
    if len(delivered_ns) < 2 or delivered_ns.max() == delivered_ns.min():
        return 0.0
    return float((len(delivered_ns) - 1) * 1e9 / (delivered_ns.max() - delivered_ns.min()))


def latency_report(folder: Any, counts: Mapping[str, int], stages: Mapping[str, Any]) -> dict[str, Any]:
    """The content of `latency.json`; times in ms from core receipt to delivery.

    Where windows look ahead, `look_ahead_ms` is there too: from the receipt of the answer's frame to the window's last.
    """
    report: dict[str, Any] = {"schema": 1, "results": 0, "results_per_second": 0.0, "latency_ms": {}, "steps_ms": {}}
    if any((folder / f"results{suffix}").exists() for suffix in (".parquet", ".arrows")):
        results = read_table(folder, "results")
        steps = step_columns(results)
        total = steps.pop("latency")
        report["results"] = results.num_rows
        report["results_per_second"] = frames_per_second(results["delivered_ns"].to_numpy())
        report["latency_ms"] = percentiles(total)
        report["steps_ms"] = {step: percentiles(times) for step, times in steps.items()}
        if LOOK_AHEAD in results.column_names and (waits := results[LOOK_AHEAD].to_numpy()).any():
            report[LOOK_AHEAD] = percentiles(waits)
    report["ledger"] = dict(counts)
    report["stages"] = dict(stages)
    report["versions"] = versions()
    report["machine"] = machine()
    return report


def write_latency(folder: Path, counts: Mapping[str, int], stages: Mapping[str, Any]) -> None:
    """Write `latency.json`; raises RecordError when the disk refuses it."""
    try:
        write_json(folder / "latency.json", latency_report(folder, counts, stages))
    except OSError as error:
        raise RecordError(
            f"latency.json could not be written to {folder} ({error.strerror}): make room on its disk"
        ) from error
