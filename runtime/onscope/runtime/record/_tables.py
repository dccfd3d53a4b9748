"""Tables that survive a crash: rows go to a journal at once, which becomes Parquet (and CSV) at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .._errors import RecordError
from ._journal import Journal, convert, whole_batches

JOURNAL = ".arrows"


class TableWriter:
    """The table `name` in `folder`; used by one thread at a time. Raises RecordError when it cannot be written."""

    def __init__(self, folder: Path, name: str, schema: Any, *, csv: bool = False) -> None:
        self.name = name
        self.columns = [field.name for field in schema]
        self._folder = folder
        self._schema = schema
        self._csv = csv
        try:
            self._journal = Journal(folder / f"{name}{JOURNAL}", schema)
        except OSError as error:
            raise refused(name, folder, error) from error

    def append(self, columns: Sequence[Any]) -> None:
        """Add rows: one sequence per column of the schema, all of one length."""
        try:
            self._journal.append(columns)
        except OSError as error:
            raise refused(self.name, self._folder, error) from error

    @property
    def size(self) -> int:
        """Bytes of its journal."""
        return self._journal.size

    def cut(self, size: int | None) -> None:
        """Take back the rows that came since it had this size; all of them: None."""
        try:
            self._journal.cut(size)
        except OSError as error:
            raise refused(self.name, self._folder, error) from error

    def close(self) -> None:
        """Write the Parquet file (and CSV), remove the journal; a failure leaves the journal, which can be read too."""
        path = self._journal.path
        try:
            self._journal.close()
            for suffix in (".parquet", ".csv")[: 1 + self._csv]:
                convert(whole_batches(path), self._schema, path.with_suffix(suffix))
            with contextlib.suppress(PermissionError):  # Windows, while someone reads it: the Parquet file counts
                path.unlink()
        except OSError as error:
            raise refused(self.name, self._folder, error) from error


def refused(name: str, folder: Path, error: OSError) -> RecordError:
    """What to say when the disk does not take a table."""
    return RecordError(
        f"the table {name} could not be written to {folder} ({error.strerror or error}): what was saved before is "
        "whole; make room or choose another disk"
    )


def has_table(folder: Path, name: str) -> bool:
    """Whether there is such a table, whole or not."""
    return any((folder / f"{name}{suffix}").exists() for suffix in (".parquet", JOURNAL))


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
        return pa.Table.from_batches(list(whole_batches(journal)))
    raise RecordError(f"found no table {name} in {folder}, expected {parquet.name}: is this a recording of onscope?")
