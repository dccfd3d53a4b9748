"""Compiled graphs on disk: an ONNX file and its JSON under the hash of all that went in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._cache_files import keep, mark_used
from .._cache_place import cache_folder
from .._errors import PackageError
from ._message import compiled_from, compiled_message
from ._types import Compiled

ROOM = "graphs"


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
        keep(compiled.path, content, text)
    except OSError as error:
        raise PackageError(
            f"cannot write the compiled graph of {', '.join(compiled.stages)} to {folder} ({error.strerror}): make "
            "room there, or set ONSCOPE_CACHE to another folder"
        ) from error
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
    mark_used(path)
    return compiled


def _check(key: str, message: Mapping[str, Any]) -> str:
    """What a description must carry: that it is of this key, and as it was written."""
    return hashlib.sha256(f"{key}\n{json.dumps(message, sort_keys=True)}".encode()).hexdigest()
