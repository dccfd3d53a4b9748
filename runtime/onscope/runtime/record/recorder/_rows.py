"""The table `frames`: a row per raw frame, in journals while the run goes on, in one Parquet file afterwards.

Every process that writes has a journal of its own, `frames.arrows`, `frames-1.arrows` ...: one that was killed may
have left half a row at the end of its last one. Read one after the other they are the table.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..._clock import ClockPair
from .._files import sync_folder
from .._journal import Journal, convert, whole_batches
from .._tables import refused
from ._frames import FRAMES, PARQUET, PART, journalled_batches, newest, parts, rows_as_written

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
                self._rewrite(newest(rows_as_written(self._folder), self._keep), parts(self._folder))
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


def frame_row(message: Mapping[str, Any], page: int | None, clock: ClockPair, crc32: int) -> list[Any]:
    """The values of one row; `message` is the announcement of the frame."""
    x, y, z = message["stage_um"] or (None, None, None)
    wall = clock.wall_of(message["received_ns"]) // 1000
    row = [message["number"], message["array"], message["at"], page, *message["id"], json.dumps(message["index"])]
    row += [json.dumps(message["labels"]), message["received_ns"], message["exposure_end_ns"], wall]
    return [*row, message["exposure_ms"], message["pixel_size_um"], x, y, z, crc32]


def close_frames(folder: Path, keep: int | None) -> None:
    """Make the journals one Parquet file; may be called again. Raises RecordError; the journals are there still."""
    try:
        journals = parts(folder)
        if keep is not None:
            convert(newest(rows_as_written(folder), keep).to_batches(), FRAMES, folder / PARQUET)
        elif not (folder / PARQUET).exists():
            convert(journalled_batches(folder), FRAMES, folder / PARQUET)
        elif journals:  # a recorder was killed in the middle of this, and the next one saved more
            convert(rows_as_written(folder).to_batches(), FRAMES, folder / PARQUET)
        _remove([*journals, *folder.glob(f"frames*{DRAFT}")])
    except OSError as error:
        raise refused("frames", folder, error) from error


def _next_part(folder: Path) -> Path:
    present = parts(folder)
    if not present:
        return folder / "frames.arrows"
    last = PART.fullmatch(present[-1].name)
    assert last is not None
    return folder / f"frames-{int(last[1] or 0) + 1}.arrows"


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        with contextlib.suppress(PermissionError):  # Windows, while someone reads it: its rows are elsewhere too
            path.unlink()
