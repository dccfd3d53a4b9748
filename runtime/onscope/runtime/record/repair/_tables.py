"""Tables of a run that was cut off: their journals become Parquet files, without what belongs to no result."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..._errors import RecordError
from .._inventory import ASIDE
from .._journal import convert, whole_batches
from .._tables import JOURNAL, refused
from .._who import ids_of
from ..recorder import parts

RESULTS = "results"
OF_FRAMES = ("results", "inputs")
"""Tables whose rows belong to frames: none of them waits for a result."""
NO_CSV = ("results", "inputs", "values")


def journals(folder: Path) -> list[str]:
    """Names of the tables of answers that are journals still, `results` last: it says which rows of others count."""
    raw = set(parts(folder))
    found = [path.name.removesuffix(JOURNAL) for path in folder.glob(f"*{JOURNAL}") if path not in raw]
    return sorted(found, key=lambda name: (name == RESULTS, name))


def rows_of(folder: Path, name: str) -> Any:
    """The whole rows of a journal as a pyarrow.Table; None where it has not even a head."""
    try:
        return pa.Table.from_batches(list(whole_batches(folder / f"{name}{JOURNAL}")))
    except RecordError:
        return None


def split(table: Any, results: Any) -> tuple[Any, Any]:
    """Rows that belong to a result, and those that were written before theirs could be: never acknowledged."""
    known = set() if results is None else set(ids_of(results))
    belongs = pa.array([who in known for who in ids_of(table)], pa.bool_())
    return table.filter(belongs), table.filter(pc.invert(belongs))


def complete_table(folder: Path, name: str, table: Any, left_over: Any) -> None:
    """Write the Parquet file (and the CSV of a stage of objects), then remove the journal. Raises RecordError."""
    journal = folder / f"{name}{JOURNAL}"
    try:
        if left_over is not None and left_over.num_rows:
            (folder / ASIDE).mkdir(exist_ok=True)
            pq.write_table(left_over, folder / ASIDE / f"{name}.parquet")
        for suffix in (".parquet",) if name in NO_CSV else (".parquet", ".csv"):
            convert(table.to_batches(), table.schema, journal.with_suffix(suffix))
        with contextlib.suppress(PermissionError):  # Windows, while someone reads it: the Parquet file counts
            journal.unlink()
    except OSError as error:
        raise refused(name, folder, error) from error
