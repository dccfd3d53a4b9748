"""Built engines on disk: one file each under the hash of all that it was made for, and a JSON that says what that is.

An engine is machine code for one GPU, driver and TensorRT version, so that what fits no longer is simply not found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from ..._cache_files import keep, mark_used, remove, write_whole
from ..._cache_place import cache_folder
from ..._errors import ProviderError

ROOM = "engines"


def place_of(made_for: Mapping[str, str], suffix: str) -> Path:
    """Where the engine that is made for this lies, if there is one. Raises PackageError."""
    return cache_folder(ROOM) / f"{_hash(made_for)}{suffix}"


def look_up(made_for: Mapping[str, str], suffix: str) -> Path | None:
    """The engine that is made for this; None when it is not there or is not the file that was written."""
    path = place_of(made_for, suffix)
    try:
        said = json.loads(path.with_suffix(".json").read_bytes())
        with path.open("rb") as file:
            whole = hashlib.file_digest(file, "sha256").hexdigest() == said["sha256"]
        if not whole or said["made_for"] != dict(made_for):
            return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    mark_used(path)
    return path


def keep_engine(made_for: Mapping[str, str], suffix: str, content: bytes) -> Path:
    """Write an engine; raises ProviderError when there is no room for it."""
    path = place_of(made_for, suffix)
    said = {"made_for": dict(made_for), "sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    try:
        keep(path, content, json.dumps(said, indent=1, sort_keys=True).encode())
    except OSError as error:
        raise ProviderError(
            f"cannot write the engine to {path.parent} ({error.strerror}): make room there, or set ONSCOPE_CACHE to "
            "another folder"
        ) from error
    return path


def discard(made_for: Mapping[str, str], suffix: str) -> None:
    """Remove an engine."""
    remove(place_of(made_for, suffix))


def read_timings(made_for: Mapping[str, str]) -> bytes:
    """What TensorRT measured when it built engines for such a GPU before; empty when it did not."""
    try:
        return _timings(made_for).read_bytes()
    except OSError:
        return b""


def keep_timings(made_for: Mapping[str, str], content: bytes) -> None:
    """Remember what TensorRT measured: the next engine for such a GPU is built faster. Without room nothing is lost."""
    path = _timings(made_for)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError:
        pass


def _timings(made_for: Mapping[str, str]) -> Path:
    machine = {name: value for name, value in made_for.items() if name in ("gpu", "capability", "driver", "tensorrt")}
    return cache_folder(ROOM) / f"{_hash(machine)}.timings"


def _hash(said: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(said), sort_keys=True).encode()).hexdigest()
