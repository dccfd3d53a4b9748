"""One run at a time: a lock beside the file, which the system takes back from a process however that ends."""

from __future__ import annotations

import os
from pathlib import Path

from ..._errors import RecordError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class Lock:
    """Held from the start; raises RecordError where another run has it, or the disk knows no locks."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(self._file)
        except OSError as error:
            os.close(self._file)
            raise RecordError(
                f"found {path} in use by another run, or on a disk without locks ({error}), expected one run at a "
                "time: wait until that has ended, or choose a file on a disk of this machine"
            ) from error

    def close(self) -> None:
        """Let it go; the lock's file stays, since another run may have opened it just now."""
        if fcntl is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)  # children that were forked have the descriptor too
        os.close(self._file)


def _take(file: int) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    getattr(msvcrt, "locking")(file, getattr(msvcrt, "LK_NBLCK"), 1)  # noqa: B009 - only Windows has them
