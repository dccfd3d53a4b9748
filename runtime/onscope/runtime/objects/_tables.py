"""Tables of objects for other programs: pandas, Parquet and CSV.

A table is what a result holds (a structured array) or what a recording does (`open_recording(...).table("cells")`, a
pyarrow.Table). pyarrow and pandas are imported when a table is written, never while frames are looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .._columns import structured_columns
from .._errors import RecordError

FORMATS = (".parquet", ".csv")


def columns_of(table: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Columns by name, of a structured array or a pyarrow.Table; RecordError for anything else."""
    if isinstance(table, np.ndarray) and table.dtype.names is not None:
        return structured_columns(table)
    if hasattr(table, "column_names") and hasattr(table, "to_pydict"):
        return {name: table[name].to_numpy() for name in table.column_names}
    raise _no_table(table)


def to_pandas(table: Any) -> Any:
    """The table as pandas.DataFrame, its columns with the types that they have; RecordError when pandas is missing."""
    try:
        import pandas
    except ModuleNotFoundError:
        raise RecordError("found no pandas, expected it for a data frame: pip install pandas") from None
    return pandas.DataFrame({name: np.ascontiguousarray(column) for name, column in columns_of(table).items()})


def write_table(path: str | Path, table: Any) -> None:
    """Write the table as Parquet or CSV, by the suffix of `path`, which is replaced; whole or not at all.

    Raises RecordError for another suffix, or when the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise RecordError(
            f"found the suffix {path.suffix!r} of {path.name}, expected {' or '.join(FORMATS)}: rename it"
        )
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    if not isinstance(table, pa.Table):
        table = pa.table({name: pa.array(np.ascontiguousarray(each)) for name, each in columns_of(table).items()})
    write = pyarrow.parquet.write_table if path.suffix == ".parquet" else pyarrow.csv.write_csv
    replaced(path, lambda draft: write(table, str(draft)))


def replaced(path: Path, write: Any) -> None:
    """Have `write` make a file beside `path`, which then takes its place; raises RecordError when the disk refuses."""
    draft = path.with_name(path.name + ".part")
    try:
        write(draft)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise RecordError(
            f"{path} could not be written ({error.strerror or error}): choose a folder that is there and has room"
        ) from error


def _no_table(table: Any) -> RecordError:
    return RecordError(
        f"found {type(table).__name__} as a table of objects, expected a structured array or a pyarrow.Table: give a "
        "stage's answer, or a table of a recording"
    )
