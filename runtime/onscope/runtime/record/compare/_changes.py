"""What was changed of a recorded run while it went on, so that a replay of it can be changed at the same frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from ..._errors import RecordError
from ..._frame import FrameId
from ..._repeat import Changes, Replacement
from ...worker import SETTING
from .._reader import RecordedRun, open_recording
from .._who import id_of, ids_of
from ..recompute import Epochs, find_packages


def changes_of(run: RecordedRun | str | Path, packages: Sequence[Path] = ()) -> Changes:
    """What was tuned, and which packages were replaced; `Runtime.repeat` does so again. Raises RecordError.

    Packages are looked for in the folders `packages`, where they were, and among the shipped ones.
    """
    recorded = run if isinstance(run, RecordedRun) else open_recording(run)
    epochs = Epochs(recorded.manifest)
    replacements, of = (), {}
    if len(epochs) > 1 or epochs.unknown_ns is not None:
        replacements = tuple(_replacements(epochs, packages))
        of = _epochs(recorded, epochs)
    left_out = {
        who: "packages were replaced more often than the recording tells of" for who, at in of.items() if at < 0
    }
    return Changes(_numbers(recorded), replacements, {who: at for who, at in of.items() if at >= 0}, left_out)


def _numbers(run: RecordedRun) -> dict[FrameId, dict[str, dict[str, float]]]:
    found: dict[FrameId, dict[str, dict[str, float]]] = {}
    try:
        table = run.table("values")
    except RecordError:  # nothing was recorded
        return found
    tuned = pc.and_(pc.equal(table["kind"], "parameter"), pc.starts_with(table["name"], pattern=SETTING))
    for row in table.filter(tuned).to_pylist():
        stages = found.setdefault(id_of(row), {})
        stages.setdefault(row["stage"], {})[row["name"].removeprefix(SETTING)] = row["value"]
    return found


def _epochs(run: RecordedRun, epochs: Epochs) -> dict[FrameId, int]:
    """How many replacements came before each result; -1: that is not known."""
    try:
        table = run.table("results")
    except RecordError:
        return {}
    delivered = table["delivered_ns"].to_pylist()
    return {who: epochs.number(at) for who, at in zip(ids_of(table), delivered, strict=True)}


def _replacements(epochs: Epochs, folders: Sequence[Path]) -> Any:
    last: Mapping[str, Any] = epochs.manifest(len(epochs) - 1)
    found, why = find_packages(last.get("packages") or {}, folders)
    for swap in epochs.swaps:
        sha256 = str(swap["package_sha256"])
        lacking = "" if sha256 in found else why.get(sha256, "the recording does not describe its package")
        lacking = lacking.partition(": name its folder")[0]  # that is an option of verify
        yield Replacement(swap["stage"], str(swap.get("before_sha256")), found.get(sha256), lacking)
