"""The file under a journal: appended to, cut back to its last good line when the disk refuses, synced when asked."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ..._errors import RecordError


class LineFile:
    """`path`, made new, with its first lines on the disk; used by one thread at a time.

    Raises RecordError when it cannot be made, or is there already; the other methods raise OSError.
    """

    def __init__(self, path: Path, first: bytes) -> None:
        try:
            self._file = open(path, "xb", buffering=0)  # noqa: SIM115 - closed in close()
        except FileExistsError:
            raise RecordError(f"found {path}, expected nothing there: choose a new name for the journal") from None
        except OSError as error:
            raise RecordError(
                f"{path} cannot be made ({error.strerror or error}): choose a folder that is there and has room"
            ) from error
        self._written = self._synced = 0
        self._torn = False
        try:
            self.append(first)
            self.sync()
            _sync_name(path)
        except OSError as error:
            self._file.close()
            path.unlink(missing_ok=True)
            raise RecordError(f"{path} cannot be written ({error.strerror or error}): make room on its disk") from error

    def append(self, lines: bytes) -> None:
        """Write whole lines; when the disk refuses them, none of them stays."""
        self._mend()
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError:
            self._torn = True  # half a line would spoil the next one
            self._mend()
            raise
        self._written += len(lines)

    def sync(self) -> None:
        """Have all lines on the disk itself. When it refuses, those since the last time are taken back."""
        try:
            os.fsync(self._file.fileno())
        except OSError:
            # What was not synced may be lost although a later call succeeds: it does not count as written.
            self._torn, self._written = True, self._synced
            self._mend()
            raise
        self._synced = self._written

    def close(self) -> None:
        self._file.close()

    def _mend(self) -> None:
        """Cut what is behind the last line that counts as written."""
        if self._torn:
            os.ftruncate(self._file.fileno(), self._written)
            os.lseek(self._file.fileno(), self._written, os.SEEK_SET)
            self._torn = False


def _sync_name(path: Path) -> None:
    """Have the file's name on the disk, where folders can be opened (not on Windows) and their disk can do it."""
    if os.name != "posix":
        return
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # some network disks
            raise
    finally:
        os.close(descriptor)
