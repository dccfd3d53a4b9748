"""Rows that survive a crash: an Arrow stream that grows by one write per batch.

An Arrow IPC stream can be read up to its last whole batch (https://arrow.apache.org/docs/format/Columnar.html); a
Parquet file is unreadable until its footer is written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from .._errors import RecordError
from ._files import sync_file, sync_folder

ROW_GROUP = 1024
"""Batches that become one row group of the Parquet file: a batch often holds a single row."""


class Journal:
    """The file `path`, made new; used by one thread at a time. Every method raises OSError when the disk refuses.

    With `sync`, a batch is on the disk itself when `append` returns, else with the system, which survives any process.
    """

    def __init__(self, path: Path, schema: Any, *, sync: bool = False) -> None:
        self.path = path
        self._schema = schema
        self._sync = sync
        self._size = 0
        self._file = open(path, "wb", buffering=0)  # noqa: SIM115 - closed in close()
        try:
            self._write(schema.serialize())
        except OSError:
            self._file.close()
            path.unlink(missing_ok=True)
            raise
        self._head = self._size
        if sync:
            sync_folder(path.parent)
        # Arrow imports much at its first array: not in the middle of a run.
        pa.record_batch([pa.array([], type=field.type) for field in schema], schema=schema)

    def append(self, columns: Sequence[Any]) -> int:
        """Add rows, one sequence per column of the schema; how many. A refused batch leaves the file as it was."""
        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, self._schema, strict=True)]
        batch = pa.record_batch(arrays, schema=self._schema)
        if batch.num_rows:
            self._write(batch.serialize())
        return int(batch.num_rows)

    @property
    def size(self) -> int:
        """Bytes up to the end of the last batch."""
        return self._size

    def cut(self, size: int | None) -> None:
        """Take back the batches behind this size (None: all), which must be one that it had."""
        self._size = self._head if size is None else size
        self._back()

    def close(self) -> None:
        self._file.close()

    @property
    def in_place(self) -> bool:
        """Whether the file can still be found under its name."""
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _write(self, data: Any) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            if self._sync:
                os.fsync(self._file.fileno())
        except OSError:
            self._back()  # half a batch would hide all that is written behind it
            raise
        self._size += len(data)

    def _back(self) -> None:
        os.ftruncate(self._file.fileno(), self._size)
        os.lseek(self._file.fileno(), self._size, os.SEEK_SET)


def whole_batches(journal: Path) -> Iterator[Any]:
    """The batches of a journal, up to one that was cut by a crash; raises RecordError when it has not even a head."""
    with pa.OSFile(str(journal)) as file:
        try:
            reader = pa.ipc.open_stream(file)
        except (OSError, pa.ArrowInvalid) as error:
            raise RecordError(f"{journal} cannot be read ({error}): the run ended before its first row") from error
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)
        while True:
            try:
                batch = reader.read_next_batch()
            except (StopIteration, OSError, pa.ArrowInvalid):  # the end, or a row that was cut by the crash
                return
            yield batch


def convert(batches: Iterable[Any], schema: Any, final: Path) -> None:
    """Write batches as Parquet or CSV (by the name of `final`), whole or not at all; raises OSError.

    The file is on the disk itself when this returns: what it was made from can be removed. The batches do not pass
    through memory together: it may be the table of an hour's run.
    """
    draft = final.with_name(final.name + ".part")
    make = pq.ParquetWriter if final.suffix == ".parquet" else pa_csv.CSVWriter
    try:
        with make(str(draft), schema) as writer:
            rows: list[Any] = []
            for batch in batches:
                rows.append(batch)
                if len(rows) >= ROW_GROUP:
                    writer.write_table(pa.Table.from_batches(rows).combine_chunks())
                    rows.clear()
            writer.write_table(pa.Table.from_batches(rows, schema=schema).combine_chunks())
        sync_file(draft)
        draft.replace(final)
        sync_folder(final.parent)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
