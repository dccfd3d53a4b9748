"""The table `frames`: a row per raw frame, in journals while the run goes on, in one Parquet file afterwards.

Every process that writes has a journal of its own, `frames.arrows`, `frames-1.arrows` ...: one that was killed may
have left half a row at the end of its last one. Read one after the other they are the table.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..._clock import ClockPair
from ..._errors import RecordError
from .._files import sync_folder
from .._journal import Journal, convert, whole_batches
from .._tables import refused

FRAMES = pa.schema(
    [
        ("number", pa.int64()),
        ("array", pa.string()),
        ("index", pa.int64()),
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
"""Columns of `frames.parquet`: element `index` of the image `array` is this frame.

`number` counts the frames of the recording in the order they came; `position` (t, p, c, z) and `labels` are JSON;
`crc32` is that of the pixels in memory order (y, x, samples), as zlib.crc32 and PNG compute it.
"""
PARQUET = "frames.parquet"
DRAFT = ".draft"
BATCHES = 2048
"""A journal of so many batches, often of one row each, is written anew as a single one: it is read in a moment then."""
WINDOW_ROWS = 512
"""With a rolling window, as many rows as it has, and at least so many, are added before old ones are let go."""


class FrameRows:
    """Appends rows; each is on the disk when `append` returns. Raises RecordError when the disk refuses.

    With `keep`, the journals hold little more than the last `keep` rows of each image.
    """

    def __init__(self, folder: Path, keep: int | None) -> None:
        self._folder = folder
        self._keep = keep
        self._journal: Journal | None = None
        self._batches = 0
        self._rows = 0

    def append(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows, each with the values of the columns of FRAMES."""
        try:
            if self._journal is None:
                self._journal = Journal(_next_part(self._folder), FRAMES, sync=True)
            self._journal.append(list(zip(*rows, strict=True)))
            self._batches += 1
            self._rows += len(rows)
            if self._keep is not None and self._rows > max(WINDOW_ROWS, self._keep):
                self._rewrite(_newest(rows_as_written(self._folder), self._keep), parts(self._folder))
            elif self._batches >= BATCHES:
                path = self._journal.path
                self._rewrite(pa.Table.from_batches(list(whole_batches(path))), [path])
        except OSError as error:
            raise refused("frames", self._folder, error) from error

    @property
    def in_place(self) -> bool:
        """False once the folder is gone."""
        return self._journal is None or self._journal.in_place

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _rewrite(self, table: Any, old: Sequence[Path]) -> None:
        """Put `table` into one batch in the place of the journals `old`; what comes next has a new one."""
        self.close()
        draft = Journal(old[-1].with_suffix(DRAFT), FRAMES, sync=True)
        draft.append([table[name].combine_chunks() for name in FRAMES.names])
        draft.close()
        self._batches = self._rows = 0
        try:
            draft.path.replace(old[-1])
        except PermissionError:  # Windows, while someone reads it: another time
            draft.path.unlink()
            return
        sync_folder(self._folder)
        _remove(old[:-1])  # a crash before this leaves rows twice; readers take each number once


def frame_row(array: str, index: int, message: Mapping[str, Any], clock: ClockPair, crc32: int) -> list[Any]:
    """The values of one row; `message` is the announcement of the frame."""
    x, y, z = message["stage_um"] or (None, None, None)
    wall = clock.wall_of(message["received_ns"]) // 1000
    row = [message["number"], array, index, *message["id"], json.dumps(message["index"])]
    row += [json.dumps(message["labels"]), message["received_ns"], message["exposure_end_ns"], wall]
    return [*row, message["exposure_ms"], message["pixel_size_um"], x, y, z, crc32]


def parts(folder: Path) -> list[Path]:
    """The journals of the table, oldest first."""
    found = [(int(match[1] or 0), path) for path in folder.iterdir() if (match := _PART.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def read_frames(folder: Path, keep: int | None = None) -> Any:
    """The table as pyarrow.Table in the order of `number`, the last `keep` rows of each image, or all there are.

    Raises RecordError when it cannot be read.
    """
    table = rows_as_written(folder)
    if keep is not None:
        table = _newest(table, keep)
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


def saved_so_far(folder: Path, first: int, keep: int | None) -> tuple[set[int], dict[str, int]]:
    """Numbers of the frames that have rows, from `first` on, and by image the element behind its last one.

    A frame that was refused once may be saved again behind frames that came after it: rows of a rolling window are
    looked at as they were written, of other recordings the highest element counts.
    """
    table = rows_as_written(folder)
    following: dict[str, int] = {}
    for array, index in zip(table["array"].to_pylist(), table["index"].to_pylist(), strict=True):
        following[array] = index + 1 if keep is not None else max(index + 1, following.get(array, 0))
    return {number for number in table["number"].to_pylist() if number >= first}, following


def _newest(table: Any, keep: int) -> Any:
    """The rows of each image that were written last."""
    names = np.asarray(table["array"].to_numpy(zero_copy_only=False), dtype=str)
    rows = [np.flatnonzero(names == name)[-keep:] for name in np.unique(names)]
    return table.take(np.sort(np.concatenate(rows))) if rows else table


def close_frames(folder: Path, keep: int | None) -> None:
    """Make the journals one Parquet file; may be called again. Raises RecordError; the journals are there still."""
    try:
        journals = parts(folder)
        if keep is not None:
            convert(_newest(rows_as_written(folder), keep).to_batches(), FRAMES, folder / PARQUET)
        elif not (folder / PARQUET).exists():
            convert(_batches(folder), FRAMES, folder / PARQUET)
        elif journals:  # a recorder was killed in the middle of this, and the next one saved more
            convert(rows_as_written(folder).to_batches(), FRAMES, folder / PARQUET)
        _remove([*journals, *folder.glob(f"frames*{DRAFT}")])
    except OSError as error:
        raise refused("frames", folder, error) from error


_PART = re.compile(r"frames(?:-(\d+))?\.arrows")


def _next_part(folder: Path) -> Path:
    present = parts(folder)
    if not present:
        return folder / "frames.arrows"
    last = _PART.fullmatch(present[-1].name)
    assert last is not None
    return folder / f"frames-{int(last[1] or 0) + 1}.arrows"


def _read(folder: Path) -> Any:
    parquet = folder / PARQUET
    if not parquet.exists():
        table = pa.Table.from_batches(_batches(folder), schema=FRAMES)
        if parquet.exists():
            raise FileNotFoundError("the journals have become Parquet, some before they could be read")
        return table
    try:
        table = pq.read_table(parquet).select(FRAMES.names).cast(FRAMES)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise RecordError(
            f"{parquet} cannot be read ({error}), expected a Parquet table: is the file whole?"
        ) from error
    later = pa.Table.from_batches(_batches(folder), schema=FRAMES)  # of a recorder that came after it
    return pa.concat_tables([table, later]) if later.num_rows else table


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        with contextlib.suppress(PermissionError):  # Windows, while someone reads it: its rows are elsewhere too
            path.unlink()


def _batches(folder: Path) -> Iterator[Any]:
    for path in parts(folder):
        try:
            yield from whole_batches(path)
        except RecordError:  # killed before its first row
            continue
