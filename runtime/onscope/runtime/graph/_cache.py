"""Compiled graphs on disk: an ONNX file and its JSON under the hash of all that went in."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._cache_place import cache_folder
from .._errors import PackageError
from ._message import compiled_from, compiled_message
from ._types import Compiled

ROOM = "graphs"
LIMIT_BYTES = 4 << 30
"""What all entries may take together; the oldest unused ones go first."""
IN_USE_S = 600.0
"""An entry that was asked for within so many seconds is left alone: another process may be about to open it."""


def cached(key: str, folder: Path | None, build: Callable[[], tuple[bytes, Compiled]]) -> Compiled:
    """The entry of that key: as it lies there if it is whole, else built and written.

    `build` gives the ONNX file's content and its description, whose path and sha256 are filled in here. The two files
    are written under other names and then renamed, the JSON last, so that two processes may build the same entry at
    once. Raises PackageError when nothing can be written.
    """
    folder = cache_folder(ROOM) if folder is None else folder
    found = look_up(key, folder)
    if found is not None:
        return found
    content, compiled = build()
    compiled = replace(compiled, path=folder / f"{key}.onnx", sha256=hashlib.sha256(content).hexdigest())
    message = compiled_message(compiled)
    text = json.dumps({**message, "check": _check(key, message)}, indent=1, sort_keys=True).encode()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(compiled.path, content)
        _write(compiled.path.with_suffix(".json"), text)
    except OSError as error:
        raise PackageError(
            f"cannot write the compiled graph of {', '.join(compiled.stages)} to {folder} ({error.strerror}): make "
            "room there, or set ONSCOPE_CACHE to another folder"
        ) from error
    tidy(folder)
    return compiled


def look_up(key: str, folder: Path) -> Compiled | None:
    """The entry of that key; None when it is not there or not whole (a file is not the one that was written for it)."""
    path = folder / f"{key}.onnx"
    beside = path.with_suffix(".json")
    try:
        message = json.loads(beside.read_bytes())
        if message.pop("check") != _check(key, message):
            return None
        compiled = compiled_from(message, path)
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != compiled.sha256:
                return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    with contextlib.suppress(OSError):  # when it was used last; another process may just have removed it
        os.utime(beside)
    return compiled


def _check(key: str, message: Mapping[str, Any]) -> str:
    """What a description must carry: that it is of this key, and as it was written."""
    return hashlib.sha256(f"{key}\n{json.dumps(message, sort_keys=True)}".encode()).hexdigest()


def tidy(folder: Path, limit: int = LIMIT_BYTES, in_use_s: float = IN_USE_S) -> None:
    """Remove the entries that were not used for longest until all take at most `limit` bytes.

    Never those that were used within the last `in_use_s` seconds; leftovers of writers that died go too.
    """
    now = time.time()
    entries: list[tuple[float, int, list[Path]]] = []
    for path in _files(folder, "*.onnx"):
        pair = [path, path.with_suffix(".json")]
        stats = [stat for stat in map(_stat, pair) if stat]
        if stats:
            entries.append((max(stat.st_mtime for stat in stats), sum(stat.st_size for stat in stats), pair))
    taken = sum(size for _, size, _ in entries)
    leftovers = [path for path in _files(folder, ".writing-*") if (stat := _stat(path)) and now - stat.st_mtime > 3600]
    for path in leftovers:
        _remove(path)
    for used, size, pair in sorted(entries, key=lambda entry: entry[0]):
        if taken <= limit or now - used < in_use_s:
            return
        for path in reversed(pair):  # the JSON first: without it there is no entry
            _remove(path)
        taken -= size


def _write(path: Path, content: bytes) -> None:
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
