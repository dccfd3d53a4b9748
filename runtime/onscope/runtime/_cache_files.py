"""Files of a cache: written whole or not at all, and removed when nobody used them for longest.

An entry is one file and a JSON of the same name beside it, which is written last and removed first: without it there
is no entry.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path

LIMIT_BYTES = 4 << 30
"""What all entries of a folder may take together; the oldest unused ones go first."""
IN_USE_S = 600.0
"""An entry that was asked for within so many seconds is left alone: another process may be about to open it."""


def keep(path: Path, content: bytes, description: bytes) -> None:
    """Write an entry and its JSON, making the folder, and tidy the folder; raises OSError.

    Both are written under other names and then renamed, so that two processes may write the same entry at once.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, content)
    write_whole(path.with_suffix(".json"), description)
    tidy(path.parent, path.suffix)


def mark_used(path: Path) -> None:
    """Note that the entry was asked for now; another process may just have removed it."""
    with contextlib.suppress(OSError):
        os.utime(path.with_suffix(".json"))


def remove(path: Path) -> None:
    """Remove an entry, its JSON first; what another process has open (Windows) or has removed is left."""
    _remove(path.with_suffix(".json"))
    _remove(path)


def tidy(folder: Path, suffix: str, limit: int = LIMIT_BYTES, in_use_s: float = IN_USE_S) -> None:
    """Remove the entries `*SUFFIX` that were not used for longest until all take at most `limit` bytes.

    Never those that were used within the last `in_use_s` seconds; leftovers of writers that died go too.
    """
    now = time.time()
    entries: list[tuple[float, int, Path]] = []
    for path in _files(folder, f"*{suffix}"):
        stats = [stat for stat in map(_stat, (path, path.with_suffix(".json"))) if stat]
        if stats:
            entries.append((max(stat.st_mtime for stat in stats), sum(stat.st_size for stat in stats), path))
    taken = sum(size for _, size, _ in entries)
    leftovers = [path for path in _files(folder, ".writing-*") if (stat := _stat(path)) and now - stat.st_mtime > 3600]
    for path in leftovers:
        _remove(path)
    for used, size, path in sorted(entries, key=lambda entry: entry[0]):
        if taken <= limit or now - used < in_use_s:
            return
        remove(path)
        taken -= size


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it; raises OSError."""
    handle, name = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.replace(name, path)
        except PermissionError:
            # Windows: another process has the file open. What it opened was written under the same key.
            if not path.exists() or path.read_bytes() != content:
                raise
            _remove(Path(name))
    except BaseException:
        _remove(Path(name))
        raise


def _files(folder: Path, pattern: str) -> list[Path]:
    try:
        return list(folder.glob(pattern))
    except OSError:
        return []


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # opened by another process (Windows), or removed by one
        path.unlink()
