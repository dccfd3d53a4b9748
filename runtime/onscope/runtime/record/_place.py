"""Whose folder it is: a recording that is being written is not overwritten, nor a folder in its place written to.

The lock is on the folder itself and is inherited by the recorder process: it is held until the last of both has ended.
It goes with the folder when that is renamed. Where folders cannot be locked (Windows, some network disks) the
comparison of the folder's identity is left; Windows refuses to delete open files anyway.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from .._errors import RecordError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PATIENCE_S = 5.0
"""How long the end of a killed run is waited for before its folder is overwritten."""
LOOK_S = 0.05

Identity = tuple[int, int]
"""Device and number of a folder on it; no other has it as long as one process has the folder open."""


class Hold:
    """Keeps the folder of a recording for this process and those that inherit `descriptor` (None: not to be locked).

    `close` it when these have ended. Raises RecordError when another one has it still after `patience_s` seconds.
    """

    def __init__(self, folder: Path, patience_s: float = 0.0) -> None:
        self.descriptor: int | None = None
        self._locked = False
        if fcntl is None:
            return
        try:
            self.descriptor = os.open(folder, os.O_RDONLY)
            end = time.monotonic() + patience_s
            while not _locked(self.descriptor):
                if time.monotonic() >= end:
                    self.close()
                    raise RecordError(
                        f"found {folder} still being written by a recorder, expected its run to have ended: wait "
                        "until it has, or choose another folder"
                    )
                time.sleep(LOOK_S)
            self._locked = True
        except OSError:  # a file system without locks: it is watched all the same
            pass

    def close(self) -> None:
        """Let it go."""
        if self.descriptor is not None:
            if self._locked:
                fcntl.flock(self.descriptor, fcntl.LOCK_UN)  # children that were forked have the descriptor too
            os.close(self.descriptor)
            self.descriptor = None


class Place:
    """The folder of a recording as it was at the start, `identity`."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        self._folder = folder
        self._identity = identity

    @property
    def there(self) -> bool:
        """Whether the folder is still in its place, and not another one."""
        with contextlib.suppress(OSError):
            return identity(self._folder) == self._identity
        return False

    def check(self) -> None:
        """Raise RecordError when it is not."""
        if not self.there:
            raise self.gone

    @property
    def gone(self) -> RecordError:
        """What to say then."""
        return RecordError(
            f"found the recording in {self._folder} gone while it was written, expected it to stay in its place: "
            "let nothing move or delete it, and keep its disk connected"
        )


def identity(folder: Path) -> Identity:
    """Raises OSError when there is no such folder."""
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
