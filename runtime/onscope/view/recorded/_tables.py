"""The tables of a recording, frame by frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import FrameId
from onscope.runtime.record import RecordedRun

WHO = FrameId._fields
OWN = {*WHO, "raw_array", "raw_t", "raw_c", "raw_z"}
"""Columns of a table of objects that say whose a row is; the others are the stage's."""
BESIDE = ("frames", "results", "values", "inputs")
"""Tables of a recording that are no stage's."""


def ids_of(table: Any) -> list[FrameId]:
    """The frames that the rows of a table belong to."""
    return [FrameId(*who) for who in zip(*(table[name].to_pylist() for name in WHO), strict=True)]


class Rows:
    """The rows of a stage of objects by frame: NumPy's structured arrays, read-only, with the stage's columns."""

    def __init__(self, table: Any) -> None:
        names = [name for name in table.column_names if name not in OWN]
        columns = [np.asarray(table[name].to_numpy(zero_copy_only=False)) for name in names]
        kept = [(name, column) for name, column in zip(names, columns, strict=True) if column.dtype.kind in "biuf"]
        self._rows = np.empty(table.num_rows, [(name, column.dtype) for name, column in kept])
        for name, column in kept:
            self._rows[name] = column
        self._rows.flags.writeable = False
        self._found: dict[FrameId, list[int]] = {}
        for number, who in enumerate(ids_of(table)):
            self._found.setdefault(who, []).append(number)

    def of(self, frame: FrameId) -> npt.NDArray[Any]:
        """Those of a frame; none: an empty array."""
        numbers = self._found.get(frame, [])
        if not numbers or numbers[-1] - numbers[0] + 1 == len(numbers):  # as they are written: after each other
            begin = numbers[0] if numbers else 0
            return self._rows[begin : begin + len(numbers)]
        return self._rows[numbers]


def stages_of_objects(run: RecordedRun) -> list[str]:
    """Names of the stages that answered with tables."""
    return [name for name in run.manifest["tables"] if name not in BESIDE]


def values_by_frame(run: RecordedRun, kind: str) -> dict[FrameId, dict[str, dict[str, float]]]:
    """The numbers of a `kind` ("parameter", "trust") by frame, stage and name."""
    if "values" not in run.manifest["tables"]:
        return {}
    table = run.table("values")
    found: dict[FrameId, dict[str, dict[str, float]]] = {}
    told = zip(*(table[name].to_pylist() for name in ("kind", "stage", "name", "value")), strict=True)
    for who, (sort, stage, name, value) in zip(ids_of(table), told, strict=True):
        if sort == kind and value is not None:
            found.setdefault(who, {}).setdefault(stage, {})[name] = float(value)
    return found
