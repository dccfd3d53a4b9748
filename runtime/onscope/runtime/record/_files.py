"""Small files written whole or not at all, and the room that a run needs on its disk."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._errors import RecordError

SPARE_BYTES = 64 << 20
"""Room left on the disk beside the images: tables, manifest, and what else runs on the machine."""


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace `path` by `content` in one step: a reader, or a crash, sees the old file or the new one.

    Raises OSError when the disk refuses it; the old file is then still there.
    """
    write_text(path, json.dumps(content, indent=1))


def write_text(path: Path, text: str) -> None:
    """The same for a text in UTF-8."""
    draft = path.with_name(path.name + ".part")
    try:
        with open(draft, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()  # of a full disk
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Have the content of a file on the disk itself; raises OSError."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk itself: a new file's, or that another one took its place.

    Nothing where folders cannot be opened (Windows), or their disk cannot do it. Raises OSError when it fails.
    """
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # some network disks
            raise
    finally:
        os.close(descriptor)


def require_space(folder: Path, nbytes: int, what: str) -> None:
    """Raise RecordError unless the disk of `folder` has room for `nbytes` (uncompressed: the worst case)."""
    free = shutil.disk_usage(folder).free
    if free < nbytes + SPARE_BYTES:
        raise RecordError(
            f"found {free / 1e9:.2f} GB free in {folder}, expected at least {(nbytes + SPARE_BYTES) / 1e9:.2f} GB for "
            f"{what}: free some space, record fewer frames, or choose a folder on another disk"
        )
