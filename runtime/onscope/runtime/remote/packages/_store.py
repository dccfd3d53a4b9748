"""The box's files, each under its sha256: written beside, hashed, and only then given its name."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from pathlib import Path
from weakref import WeakSet

from ..wire import Payload, WireError, name_of

LARGEST_FILE = 4 << 30
LIMIT_BYTES = 32 << 30
"""What all files may take together; those that were not used for longest go first."""
IN_USE_S = 24 * 3600.0
"""A file that was used within so many seconds stays."""
HEADROOM = 1 << 30
"""Bytes of the disk that are left to others."""


class Store:
    """Files in one folder. Not thread-safe."""

    def __init__(self, folder: Path, limit: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit = limit
        self._coming: WeakSet[Upload] = WeakSet()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for leftover in folder.glob(".coming-*"):
            with contextlib.suppress(OSError):
                if time.time() - leftover.stat().st_mtime > IN_USE_S:
                    leftover.unlink()

    def has(self, name: str) -> bool:
        """Whether a file is there; one that is asked for counts as used."""
        try:
            os.utime(self.place(name))
        except OSError:
            return False
        return True

    def place(self, name: str) -> Path:
        """Where a file of that name is, or would be; raises WireError for what is no name."""
        return self._folder / name_of(name)

    def begin(self, name: str, size: int) -> Upload:
        """A file begins to come; raises WireError when there is no room for it."""
        if not 1 <= size <= LARGEST_FILE:
            raise WireError(f"found a file of {size} bytes, expected at most {LARGEST_FILE}")
        self._tidy(size)
        free = shutil.disk_usage(self._folder).free
        needed = size + HEADROOM + sum(each.left for each in self._coming)
        if needed > free:
            raise WireError(f"found {free} bytes free on the box's disk, expected {needed}: make room there")
        self._coming.add(made := Upload(self.place(name), size))
        return made

    def _tidy(self, more: int) -> None:
        files = []
        for path in self._folder.glob("[0-9a-f]*"):
            with contextlib.suppress(OSError):
                stat = path.stat()
                files.append((stat.st_mtime, stat.st_size, path))
        taken = sum(size for _, size, _ in files) + more
        for used, size, path in sorted(files, key=lambda each: each[0]):
            if taken <= self._limit or time.time() - used < IN_USE_S:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                taken -= size


class Upload:
    """One file that is coming, piece by piece, in order."""

    def __init__(self, place: Path, size: int) -> None:
        self._place, self._size = place, size
        self._at = 0
        self._hash = hashlib.sha256()
        self._beside = place.with_name(f".coming-{secrets.token_hex(8)}")
        self._file = self._beside.open("xb")

    @property
    def left(self) -> int:
        """Bytes that are still to come."""
        return 0 if self._file.closed else self._size - self._at

    def write(self, at: int, piece: Payload) -> bool:
        """Whether the file is whole now, and stored. Raises WireError when it is not what its name says."""
        if at != self._at or at + len(piece) > self._size:
            self.drop()
            raise WireError(f"found a piece at {at}, expected the one at {self._at} of {self._size} bytes")
        self._file.write(piece)
        self._hash.update(piece)
        self._at += len(piece)
        if self._at < self._size:
            return False
        self._file.close()
        if (found := self._hash.hexdigest()) != self._place.stem:
            self.drop()
            raise WireError(
                f"found a file with the sha256 {found[:12]}…, expected {self._place.stem[:12]}…: it changed after the "
                "pipeline was loaded"
            )
        os.replace(self._beside, self._place)
        return True

    def drop(self) -> None:
        """It will not be completed."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._beside.unlink()
