"""The table `frames` as it is read: from its journals, from Parquet, or from both, in the layouts that there were."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..._errors import RecordError
from .._journal import whole_batches

FRAMES = pa.schema(
    [
        ("number", pa.int64()),
        ("array", pa.string()),
        ("index", pa.list_(pa.int64())),
        ("page", pa.int64()),
        ("run", pa.string()),
        ("camera", pa.string()),
        ("segment", pa.int64()),
        ("seq", pa.int64()),
        ("position", pa.string()),
        ("labels", pa.string()),
        ("received_ns", pa.int64()),
        ("exposure_end_ns", pa.int64()),
        # Microseconds: the wall clock knows no more, and without pandas PyArrow cannot show dates of nanoseconds.
        ("wall", pa.timestamp("us", tz="UTC")),
        ("exposure_ms", pa.float64()),
        ("pixel_size_um", pa.float64()),
        ("stage_x_um", pa.float64()),
        ("stage_y_um", pa.float64()),
        ("stage_z_um", pa.float64()),
        ("crc32", pa.uint32()),
    ]
)
"""Columns of `frames.parquet`: element `index` of the image `array` is this frame, along the axes before y and x.

`page` is where it is in a file of pages (null: a format without pages). `number` counts the frames of the recording in
the order they came; `position` (t, p, c, z) and `labels` are JSON;
`crc32` is that of the pixels in memory order (y, x, samples), as zlib.crc32 and PNG compute it.
"""
PARQUET = "frames.parquet"
PART = re.compile(r"frames(?:-(\d+))?\.arrows")


def parts(folder: Path) -> list[Path]:
    """The journals of the table, oldest first."""
    found = [(int(match[1] or 0), path) for path in folder.iterdir() if (match := PART.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def read_frames(folder: Path, keep: int | None = None) -> Any:
    """The table as pyarrow.Table in the order of `number`, the last `keep` rows of each image, or all there are.

    Raises RecordError when it cannot be read.
    """
    table = rows_as_written(folder)
    if keep is not None:
        table = newest(table, keep)
    numbers = table["number"].to_numpy()
    return table if (np.diff(numbers) > 0).all() else table.take(np.argsort(numbers))


def rows_as_written(folder: Path) -> Any:
    """The rows in the order they were written, each number once; raises RecordError when they cannot be read."""
    for _ in range(3):
        try:
            table = _read(folder)
            break
        except FileNotFoundError:  # it has just become Parquet, or was compacted
            continue
    else:
        raise RecordError(f"the journals of {folder} change too fast to be read: try again")
    numbers = table["number"].to_numpy()
    if (np.diff(numbers) > 0).all():
        return table
    return table.take(np.sort(np.unique(numbers, return_index=True)[1]))


def saved_so_far(folder: Path, first: int) -> tuple[set[int], dict[str, int]]:
    """Numbers of the frames that have rows, from `first` on, and by image how many pages of it are named at most."""
    table = rows_as_written(folder)
    pages = {
        known["array"]: 0 if known["page_max"] is None else known["page_max"] + 1
        for known in table.group_by("array").aggregate([("page", "max")]).to_pylist()
    }
    numbers = table["number"].to_numpy()
    return set(numbers[numbers >= first].tolist()), pages


def rows_by_image(table: Any) -> dict[str, Any]:
    """The rows of each image, in their order."""
    names = table["array"].combine_chunks().dictionary_encode()
    codes = names.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(names.dictionary) + 1))
    return {
        name: table.take(order[begin:end])
        for name, begin, end in zip(names.dictionary.to_pylist(), ends, ends[1:], strict=False)
    }


def newest(table: Any, keep: int) -> Any:
    """The rows of each image that were written last."""
    names = np.asarray(table["array"].to_numpy(zero_copy_only=False), dtype=str)
    rows = [np.flatnonzero(names == name)[-keep:] for name in np.unique(names)]
    return table.take(np.sort(np.concatenate(rows))) if rows else table


def _read(folder: Path) -> Any:
    parquet = folder / PARQUET
    if not parquet.exists():
        table = _journalled(folder)
        if parquet.exists():
            raise FileNotFoundError("the journals have become Parquet, some before they could be read")
        return table
    try:
        table = _as_now(pq.read_table(parquet))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise RecordError(
            f"{parquet} cannot be read ({error}), expected a Parquet table: is the file whole?"
        ) from error
    later = _journalled(folder)  # of a recorder that came after it
    return pa.concat_tables([table, later]) if later.num_rows else table


def _journalled(folder: Path) -> Any:
    batches = list(journalled_batches(folder))
    return _as_now(pa.Table.from_batches(batches)) if batches else FRAMES.empty_table()


def _as_now(table: Any) -> Any:
    """Rows as FRAMES has them; in layout 2 an index was a number, and there were no pages."""
    if "page" not in table.column_names:
        table = table.append_column("page", pa.nulls(len(table), pa.int64()))
        ones = pa.chunked_array([pa.array(np.arange(len(table) + 1), pa.int32())])
        whole = pa.ListArray.from_arrays(ones.combine_chunks(), table["index"].combine_chunks().cast(pa.int64()))
        table = table.set_column(table.column_names.index("index"), "index", whole)
    return table.select(FRAMES.names).cast(FRAMES)


def journalled_batches(folder: Path) -> Iterator[Any]:
    """The batches of all journals, as they were written."""
    for path in parts(folder):
        try:
            yield from whole_batches(path)
        except RecordError:  # killed before its first row
            continue
