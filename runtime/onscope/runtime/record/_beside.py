"""Tables beside the answers, each made when something comes into it: `values` and `inputs`."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from .._frame import Frame, FrameId
from .._result import Result
from ._crc32 import crc32
from ._tables import TableWriter
from ._who import COLUMNS

VALUES = [("stage", pa.string()), ("kind", pa.string()), ("name", pa.string()), ("value", pa.float64())]
"""A number per row: a "parameter" that a stage's processing used, or a "trust" value of its answer."""
INPUTS = [
    ("position", pa.string()),
    ("labels", pa.string()),
    ("received_ns", pa.int64()),
    ("exposure_ms", pa.float64()),
    ("pixel_size_um", pa.float64()),
    ("crc32", pa.uint32()),
]
"""A row per frame that an answer was computed from and that this recording does not hold, as in `frames`. The checksum
of the pixels that the network was given says later whether what is saved elsewhere is the same."""
REMEMBERED = 4096
"""Frames of the last windows: one of several windows has one row."""
Row = tuple[Any, ...]


class BesideAnswers:
    """`checksum` of a frame's pixels, where it is known already. Used by one thread at a time.

    Raises RecordError when the disk refuses.
    """

    def __init__(self, folder: Path, checksum: Callable[[Frame], int] | None = None) -> None:
        self._folder = folder
        self._checksum = checksum or (lambda frame: crc32(frame.pixels))
        self._tables: dict[str, TableWriter] = {}
        self._known: OrderedDict[FrameId, None] = OrderedDict()

    @property
    def tables(self) -> list[TableWriter]:
        """Those that there are."""
        return list(self._tables.values())

    def add(self, result: Result, *, recorded: bool) -> None:
        """The rows of a result; `recorded`: its raw frames are in this recording."""
        self._append("values", VALUES, list(_values(result)))
        if not recorded:
            self._append("inputs", INPUTS, list(self._inputs(result)))

    def _append(self, name: str, columns: list[tuple[str, Any]], rows: list[Row]) -> None:
        if not rows:
            return
        if name not in self._tables:
            self._tables[name] = TableWriter(self._folder, name, pa.schema([*COLUMNS, *columns]))
        self._tables[name].append(list(zip(*rows, strict=True)))

    def _inputs(self, result: Result) -> Iterator[Row]:
        for frame in result.frames:
            if frame.id in self._known:
                continue
            self._known[frame.id] = None
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            position = json.dumps({name: int(at) for name, at in frame.index.items()})
            told = position, json.dumps(dict(frame.labels)), int(frame.received_ns)
            yield *frame.id, *told, frame.exposure_ms, frame.pixel_size_um, self._checksum(frame)


def _values(result: Result) -> Iterator[Row]:
    for kind, by_stage in (("parameter", result.parameters), ("trust", result.trust)):
        for stage, numbers in by_stage.items():
            for name, value in numbers.items():
                yield *result.frame.id, stage, kind, name, value
