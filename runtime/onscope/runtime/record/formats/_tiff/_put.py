"""Bytes into a file at their place, and onto the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import numpy as np

from ...._errors import RecordError
from ...._frame import Pixels
from ..._files import sync_folder


def new_file(path: Path, head: bytes) -> FileIO:
    """A file that begins with `head`, on the disk with its name; one that is there is replaced. Raises OSError."""
    file = FileIO(path, "w+")
    put(file, 0, head)
    sync(file)
    sync_folder(path.parent)
    return file


def put(file: FileIO, at: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of `data` at byte `at`; raises OSError."""
    file.seek(at)
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def sync(file: FileIO) -> None:
    """Return when all of the file is on the disk itself; raises OSError."""
    os.fsync(file.fileno())


def little(pixels: Pixels) -> memoryview:
    """The bytes of pixels row by row, little endian; without a copy where they are so in memory."""
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data


@contextmanager
def writing(path: Path) -> Iterator[FileIO]:
    """A file to be changed; what the disk refuses becomes RecordError."""
    try:
        with FileIO(path, "r+") as file:
            yield file
    except OSError as error:
        raise RecordError(f"{path} could not be written ({error.strerror}): is its disk full, or read-only?") from error
