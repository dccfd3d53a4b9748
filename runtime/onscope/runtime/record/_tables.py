"""Tables that survive a crash: rows go to an Arrow stream at once, which becomes Parquet (and CSV) at the end.

An Arrow IPC stream can be read up to its last whole batch (https://arrow.apache.org/docs/format/Columnar.html); a
Parquet file is unreadable until its footer is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from .._errors import RecordError

JOURNAL = ".arrows"


class TableWriter:
    """The table `name` in `folder`; used by one thread at a time. Raises RecordError when it cannot be written."""

    def __init__(self, folder: Path, name: str, schema: Any, *, csv: bool = False) -> None:
        self.name = name
        self.columns = [field.name for field in schema]
        self.rows = 0
        self._stem = folder / name
        self._schema = schema
        self._csv = csv
        try:
            self._file = open(self._journal, "wb", buffering=0)  # noqa: SIM115 - closed in close()
            self._stream = pa.ipc.new_stream(self._file, schema)
        except OSError as error:
            raise self._refused(error) from error
        self.append([[] for _ in schema])  # Arrow imports much at its first array: not in the middle of a run

    def append(self, columns: Sequence[Any]) -> None:
        """Add rows: one sequence per column of the schema, all of one length."""
        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, self._schema, strict=True)]
        batch = pa.record_batch(arrays, schema=self._schema)
        if batch.num_rows:
            try:
                self._stream.write_batch(batch)
            except OSError as error:
                raise self._refused(error) from error
            self.rows += batch.num_rows

    def close(self) -> list[Path]:
        """Write the Parquet file (and CSV), remove the journal; a failure leaves the journal, which can be read too."""
        drafts: list[Path] = []
        try:
            self._stream.close()
            self._file.close()
            for suffix in (".parquet", ".csv")[: 1 + self._csv]:
                drafts.append(self._stem.with_name(f"{self.name}{suffix}.part"))
                _convert(self._journal, drafts[-1], suffix)
        except OSError as error:
            self._file.close()
            for draft in drafts:
                draft.unlink(missing_ok=True)
            raise self._refused(error) from error
        finals = [draft.replace(draft.with_suffix("")) for draft in drafts]
        self._journal.unlink()
        return finals

    @property
    def _journal(self) -> Path:
        return self._stem.with_name(self.name + JOURNAL)

    def _refused(self, error: OSError) -> RecordError:
        return RecordError(
            f"the table {self.name} could not be written to {self._stem.parent} ({error.strerror or error}): what was "
            "saved before is whole; make room or choose another disk"
        )


def read_table(folder: Path, name: str) -> Any:
    """A table as pyarrow.Table: from Parquet, or from the journal of a run that did not end in order (its whole rows).

    Raises RecordError when there is neither.
    """
    parquet, journal = folder / f"{name}.parquet", folder / f"{name}{JOURNAL}"
    if parquet.exists():
        try:
            return pq.read_table(parquet)
        except (OSError, pa.ArrowInvalid) as error:
            raise RecordError(
                f"{parquet} cannot be read ({error}), expected a Parquet table: is the file whole?"
            ) from error
    if journal.exists():
        with pa.OSFile(str(journal)) as file:
            return _whole_batches(file, journal)
    raise RecordError(f"found no table {name} in {folder}, expected {parquet.name}: is this a recording of onscope?")


def structured_columns(table: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of a structured array by name; a field of k numbers becomes name_0 ... name_(k-1)."""
    if table.dtype.names is None:
        return {"value": table.reshape(-1)}
    columns: dict[str, np.ndarray[Any, Any]] = {}
    for name in table.dtype.names:
        column = table[name]
        if column.ndim == 1:
            columns[name] = column
        else:
            flat = column.reshape(len(table), int(np.prod(column.shape[1:])))
            columns.update({f"{name}_{k}": flat[:, k] for k in range(flat.shape[1])})
    return columns


def _whole_batches(file: Any, journal: Path) -> Any:
    try:
        reader = pa.ipc.open_stream(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise RecordError(f"{journal} cannot be read ({error}): the run ended before its first row") from error
    batches = []
    while True:
        try:
            batches.append(reader.read_next_batch())
        except (StopIteration, OSError, pa.ArrowInvalid):  # the end, or a row that was cut by the crash
            return pa.Table.from_batches(batches, schema=reader.schema)


def _convert(journal: Path, draft: Path, suffix: str) -> None:
    """Copy batch by batch: a table of an hour's run does not pass through memory whole."""
    with pa.OSFile(str(journal)) as file, pa.ipc.open_stream(file) as reader:
        make = pq.ParquetWriter if suffix == ".parquet" else pa_csv.CSVWriter
        with make(str(draft), reader.schema) as writer:
            rows: list[Any] = []
            for batch in reader:
                rows.append(batch)
                if len(rows) >= 1024:  # one row group, not one per frame
                    writer.write_table(pa.Table.from_batches(rows).combine_chunks())
                    rows.clear()
            if rows:
                writer.write_table(pa.Table.from_batches(rows).combine_chunks())
