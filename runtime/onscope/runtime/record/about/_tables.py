"""What the tables of a recording add up to; those that are not there (yet) add nothing."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ..._errors import RecordError
from .._latency import percentiles, step_columns
from .._tables import read_table

SEPARATOR = "\0"
STATES = ("done", "late", "skipped", "failed", "lost_upstream")


def table_of(folder: Path, name: str) -> Any:
    """A table, also one that a run is still writing; None when there is none that can be read."""
    try:
        return read_table(folder, name)
    except RecordError:
        return None


def ledger_of(folder: Path) -> dict[str, dict[str, int]] | None:
    """Frames by state and reason ("": none given); None: the account was not written. Raises RecordError."""
    path = folder / "ledger.csv"
    found: dict[str, Counter[str]] = {}
    try:
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["state"], Counter())[row["reason"]] += int(row["frames"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise RecordError(
            f"{path} cannot be read ({error}), expected the account of the frames: restore it from a copy"
        ) from error
    order = [state for state in STATES if state in found] + sorted(found.keys() - set(STATES))
    return {state: dict(found[state].most_common()) for state in order}


def latency_of(results: Any) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Percentiles in ms of the whole way and of each step."""
    steps = step_columns(results)
    total = steps.pop("latency", np.zeros(0))
    return percentiles(total), {step: percentiles(times) for step, times in steps.items() if len(times)}


def values_of(table: Any, kind: str) -> dict[str, dict[str, dict[str, float]]]:
    """p5, p50, p95, smallest, largest and number of the values of a kind, by stage and name; NaN left out."""
    if table is None:
        return {}
    mine = table.filter(pc.equal(table["kind"], kind))
    keys = pc.binary_join_element_wise(mine["stage"], mine["name"], SEPARATOR).combine_chunks().dictionary_encode()
    at, values = keys.indices.to_numpy(zero_copy_only=False), mine["value"].to_numpy()
    found: dict[str, dict[str, dict[str, float]]] = {}
    for number, key in enumerate(keys.dictionary.to_pylist()):
        stage, _, name = key.partition(SEPARATOR)
        found.setdefault(stage, {})[name] = spread(values[at == number])
    return found


def spread(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Where values lie: p5, p50, p95, smallest, largest, and how many there are; of none the number alone."""
    values = values[np.isfinite(values)]
    if not values.size:
        return {"n": 0}
    low, middle, high = (float(each) for each in np.percentile(values, (5, 50, 95)))
    return {
        "p5": low,
        "p50": middle,
        "p95": high,
        "min": float(values.min()),
        "max": float(values.max()),
        "n": int(values.size),
    }


def distinct(table: Any, name: str, most: int = 8) -> list[float]:
    """The different values of a column, smallest first, `most` at most; nulls left out."""
    if table is None or name not in table.column_names:
        return []
    return sorted(value for value in table[name].unique().to_pylist() if value is not None)[:most]


def counted(table: Any, name: str) -> Mapping[str, int]:
    """How often each value of a column of texts is there."""
    if table is None or name not in table.column_names:
        return {}
    return {row["values"]: row["counts"] for row in table[name].value_counts().to_pylist() if row["values"] is not None}
