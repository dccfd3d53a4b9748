"""What may explain that two answers differ: other windows, other numbers to normalise with, other models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ..._errors import RecordError
from ..._frame import FrameId
from .._reader import RecordedRun
from .._who import id_of

WINDOW = ("frames", "target", "padded", "state_reset", "window")
ORIGIN = {"package": "package", "graph_sha256": "graph", "provider": "provider", "precision": "precision"}

Parameters = Mapping[FrameId, Mapping[str, float]]


def windows_of(results: Mapping[FrameId, tuple[int, Mapping[str, Any]]]) -> dict[FrameId, tuple[Any, ...]]:
    """By result, which frames its window had, and whether memories began anew with it."""
    return {who: tuple(row.get(name) for name in WINDOW) for who, (_, row) in results.items()}


def parameters_of(run: RecordedRun) -> Mapping[str, Parameters]:
    """By stage and result, the numbers that its processing used."""
    found: defaultdict[str, defaultdict[FrameId, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    try:
        table = run.table("values")
    except RecordError:
        return found
    for row in table.to_pylist():
        if row["kind"] == "parameter":
            found[row["stage"]][id_of(row)][row["name"]] = row["value"]
    return found


def models_of(first: RecordedRun, second: RecordedRun) -> Iterator[str]:
    """Stages that ran another package or graph, on another provider or in another precision."""
    one, other = (_provenance(run) for run in (first, second))
    for stage in sorted(one.keys() & other.keys()):
        for name, word in ORIGIN.items():
            a, b = (sorted({str(each.get(name)) for each in origins[stage]}) for origins in (one, other))
            if a != b:
                short = [", ".join(value[:60] for value in values) for values in (a, b)]
                yield f"{stage}: another {word} ({short[0]} and {short[1]})"


def _provenance(run: RecordedRun) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in run.manifest["images"]:
        origin = entry.get("provenance")
        if entry.get("stage") and isinstance(origin, dict):
            found.setdefault(entry["stage"], []).append(origin)
    return found
