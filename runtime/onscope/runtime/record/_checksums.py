"""`checksums.json`: the sha256 of every file of a recording that has no checksum of its own, as they were at the end.

Chunks have a CRC-32C each, which their reader looks at; all other files are listed here. The list is itself summed, and
is written in one way only, so that no byte of it can change unseen.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from .._errors import RecordError
from ._files import write_json
from ._inventory import MOST_JSON, take_inventory

NAME = "checksums.json"
SCHEMA = 1
PART = (".part", ".__lock")
"""Endings of files that were not written to their end."""


def write_checksums(folder: Path) -> None:
    """Write the list for all files that are there; the last step of closing. Raises RecordError."""
    try:
        names = [name for name in take_inventory(folder).files if name != NAME and not name.endswith(PART)]
        _write(folder, {name: sha256_of(folder / name) for name in names})
    except OSError as error:
        raise RecordError(
            f"{folder / NAME} could not be written ({error.strerror or error}): make room on its disk, then run "
            "`onscope repair`"
        ) from error


def mended_checksums(folder: Path, before: Mapping[str, str], changed: Mapping[str, str], new: Iterable[str]) -> None:
    """Write the list again after `repair`, which may not make a fault unseen. Raises RecordError.

    Files that were in the list `before` and were as it says are summed anew; those that were `changed` or lost by then
    keep the sum that they had; of others only those that repair made (`new`) come into it.
    """
    made = set(new)
    try:
        there = set(take_inventory(folder).files)
        sums = {name: sha256_of(folder / name) for name in there if name in before or name in made}
        _write(folder, sums | dict(changed))
    except OSError as error:
        raise RecordError(f"{folder / NAME} could not be written ({error.strerror or error})") from error


def note_files(folder: Path, names: Iterable[str]) -> None:
    """Enter files that were written after the list; nothing where there is no list. Raises RecordError."""
    sums = read_checksums(folder)
    if sums is None:
        return
    try:
        _write(folder, sums | {name: sha256_of(folder / name) for name in names if (folder / name).is_file()})
    except OSError as error:
        raise RecordError(f"{folder / NAME} could not be written ({error.strerror or error})") from error


def read_checksums(folder: Path) -> dict[str, str] | None:
    """Sums by name; None when there is no list. Raises RecordError when it is not as it was written."""
    path = folder / NAME
    try:
        if path.is_symlink() or path.stat().st_size > MOST_JSON:
            raise ValueError("no list of checksums")
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        if text != json.dumps(content, indent=1) or content["schema"] != SCHEMA:
            raise ValueError("its text has changed")
        sums = content["sha256"]
        if content["all"] != _sum_of(sums):
            raise ValueError("its checksum is another")
        if not all(_plain(name) and isinstance(value, str) for name, value in sums.items()):
            raise ValueError("it names files outside")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RecordError(f"{path} is not as it was written ({error}), expected the list of checksums") from error
    return dict(sums)


def sha256_of(path: Path) -> str:
    """Of a file's content; raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(folder: Path, sums: Mapping[str, str]) -> None:
    ordered = dict(sorted(sums.items()))
    with contextlib.suppress(FileNotFoundError):
        (folder / f"{NAME}.part").unlink()
    write_json(folder / NAME, {"schema": SCHEMA, "sha256": ordered, "all": _sum_of(ordered)})


def _sum_of(sums: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(sums).encode()).hexdigest()


def _plain(name: object) -> bool:
    if not isinstance(name, str) or not name or "\\" in name or "\0" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.as_posix() == name
