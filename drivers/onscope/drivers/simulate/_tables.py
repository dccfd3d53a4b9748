"""Tables of a data set, each written as Parquet and CSV while it is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from onscope.specimen import Snap, Truth

from ..truth import COLUMNS, object_columns

OBJECTS = pa.schema([("frame", pa.int32()), *COLUMNS])
"""One row per object and time point."""

EXPOSURES = pa.schema(
    [
        ("frame", pa.int32()),
        ("channel", pa.string()),
        ("number", pa.int32()),
        *((name, pa.float64()) for name in ("time_s", "exposure_s", "z_um", "y_um", "x_um", "pixel_um")),
    ]
)
"""One row per image: where in the sample it was taken, drift included."""


class Table:
    """A table that grows: NAME.parquet and NAME.csv. A context manager; both files are whole when it is left."""

    def __init__(self, stem: Path, schema: Any) -> None:
        self._schema = schema
        self._parquet = pyarrow.parquet.ParquetWriter(stem.with_name(stem.name + ".parquet"), schema)
        self._csv = pyarrow.csv.CSVWriter(stem.with_name(stem.name + ".csv"), schema)

    def __enter__(self) -> Table:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parquet.close()
        self._csv.close()

    def add(self, rows: dict[str, Any]) -> None:
        """Some rows, by column."""
        table = pa.table(rows, schema=self._schema)
        self._parquet.write_table(table)
        self._csv.write_table(table)


def object_rows(frame: int, truth: Truth) -> dict[str, Any]:
    """The objects of one time point."""
    columns = object_columns(truth)
    return {"frame": np.full(len(columns["id"]), frame, dtype=np.int32), **columns}


def exposure_rows(frame: int, snaps: Sequence[Snap]) -> dict[str, Any]:
    """The images of one time point."""
    return {
        "frame": [frame] * len(snaps),
        "channel": [snap.channel for snap in snaps],
        "number": [snap.number for snap in snaps],
        "time_s": [snap.time_s for snap in snaps],
        "exposure_s": [snap.exposure_s for snap in snaps],
        "z_um": [snap.z_um for snap in snaps],
        "y_um": [snap.view.centre_um[0] for snap in snaps],
        "x_um": [snap.view.centre_um[1] for snap in snaps],
        "pixel_um": [snap.view.pixel_um for snap in snaps],
    }
