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

OBJECTS = pa.schema(
    [
        ("frame", pa.int32()),
        ("time_s", pa.float64()),
        ("id", pa.int32()),
        ("parent", pa.int32()),
        ("kind", pa.string()),
        ("born_s", pa.float64()),
        *((name, pa.float32()) for name in ("z_um", "y_um", "x_um", "area_um2", "dose_j_cm2", "stress", "bleached")),
        ("on", pa.bool_()),
    ]
)
"""One row per object and time point; the columns are those of `onscope.specimen._view.OBJECT`."""

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
    """The objects of one time point; emitters that are dark are left out, for there are thousands."""
    objects, kinds = truth.objects, np.array(truth.kinds(), dtype=object)
    kept = (kinds != "emitter") | objects["on"]
    objects, kinds = objects[kept], kinds[kept]
    names = [name for name in OBJECTS.names if name not in ("frame", "time_s", "kind")]
    rows: dict[str, Any] = {name: np.ascontiguousarray(objects[name]) for name in names}
    rows["frame"] = np.full(len(objects), frame, dtype=np.int32)
    rows["time_s"] = np.full(len(objects), truth.time_s)
    rows["kind"] = kinds.tolist()
    return rows


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
