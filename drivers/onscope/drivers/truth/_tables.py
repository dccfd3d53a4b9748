"""Objects of the specimen as rows of a table, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onscope.specimen import CLASSES, OBJECT, Truth

Array = npt.NDArray[Any]

COLUMNS = (
    ("time_s", pa.float64()),
    ("id", pa.int32()),
    ("parent", pa.int32()),
    ("kind", pa.string()),
    ("born_s", pa.float64()),
    *((name, pa.float32()) for name in ("z_um", "y_um", "x_um", "area_um2", "dose_j_cm2", "stress", "bleached")),
    ("on", pa.bool_()),
)
"""What is known of an object at one time: the fields of `onscope.specimen.OBJECT`, with their units in their names."""


def object_columns(truth: Truth) -> dict[str, Any]:
    """The objects of one time, by the names of COLUMNS; emitters that are dark are left out, for there are
    thousands."""
    objects, kinds = truth.objects, np.array(truth.kinds(), dtype=object)
    kept = (kinds != "emitter") | objects["on"]
    objects, kinds = objects[kept], kinds[kept]
    fields = (name for name, _ in COLUMNS if name not in ("time_s", "kind"))
    columns: dict[str, Any] = {name: np.ascontiguousarray(objects[name]) for name in fields}
    columns["time_s"] = np.full(len(objects), truth.time_s)
    columns["kind"] = kinds.tolist()
    return columns


def objects_of(table: Any) -> Array:
    """The rows of a pyarrow.Table with these columns as an array of dtype OBJECT."""
    objects = np.zeros(table.num_rows, OBJECT)
    for name in OBJECT.names or ():
        values = table[name].to_pylist() if name == "kind" else table[name].to_numpy(zero_copy_only=False)
        objects[name] = [CLASSES.index(kind) for kind in values] if name == "kind" else values
    return objects
