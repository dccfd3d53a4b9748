"""The files of an NDTiff data set, made, cut to what counts, and mended after a crash."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...._errors import RecordError
from ...._frame import FrameSpec
from ..._files import sync_folder
from .._tiff import CLASSIC, about_series, put, sync, writing
from ._index import NAME, Entry, entries_of

_VERSION = (3, 3)
_MAGIC, _SUMMARY = 483729, 2355492
_NUMBERS = struct.Struct("<5I")


def stack_name(number: int) -> str:
    """The name of one of the files that hold the images: of 4 GB each."""
    return f"NDTiffStack_{number}.tif" if number else "NDTiffStack.tif"


def number_of(name: str) -> int:
    """Which one it is; raises ValueError when it is none of ours."""
    inner = name.removeprefix("NDTiffStack").removesuffix(".tif").removeprefix("_")
    number = int(inner) if inner else 0
    if stack_name(number) != name:
        raise ValueError(name)
    return number


def header(spec: FrameSpec) -> bytes:
    """The beginning of such a file, with the summary metadata; its length is even."""
    summary = json.dumps(about_series(spec)).encode()
    summary += b" " * (len(summary) % 2)
    return CLASSIC.header.pack(b"II", 42, 0) + _NUMBERS.pack(_MAGIC, *_VERSION, _SUMMARY, len(summary)) + summary


def known(folder: Path, entry: Entry) -> dict[str, Any]:
    """The metadata of an image. Raises ValueError or OSError."""
    with open(folder / entry.file, "rb") as file:
        file.seek(entry.about_at)
        found = json.loads(file.read(min(entry.about_length, 1 << 20)))
    if not isinstance(found, dict) or not isinstance(found.get("onscope"), dict):
        raise ValueError(f"the metadata at byte {entry.about_at} of {entry.file} is damaged")
    return found


def cut_to(folder: Path, entries: Sequence[Entry], of: int) -> None:
    """Cut a data set to these first of its entries; its index has `of` bytes. Raises RecordError.

    A page is taken out of the index first, then out of its file: a crash in between leaves what can be read.
    """
    behind = entries[-1].behind if entries else 0
    if of != behind:
        with writing(folder / NAME) as index:
            index.truncate(behind)
            sync(index)
    last: dict[str, Entry] = {entry.file: entry for entry in entries}
    for path in stacks(folder):
        if path.name in last:
            entry = last[path.name]
            if path.stat().st_size > entry.end or _following(path, entry):
                with writing(path) as file:
                    put(file, entry.next_at, CLASSIC.offset.pack(0))
                    sync(file)
                    if path.stat().st_size > entry.end:
                        file.truncate(entry.end)
                    sync(file)
        else:
            _unlink(path)
    sync_folder(folder)


def mend(folder: Path) -> list[str]:
    """Make a data set whole that a crash left behind: a sentence on each thing that was done, none when it was whole.

    What no whole entry of the index names goes, and nothing else does. Raises RecordError when it is no data set.
    """
    entries, of = entries_of(folder)
    _check(folder, entries)
    good = [entry for entry in entries if _whole(folder, entry)]
    if len(good) < len(entries):  # in the middle: not what a crash leaves, and not to be cut away
        raise RecordError(
            f"found {len(entries) - len(good)} of {len(entries)} images of {folder} without pixels, expected all of "
            "them: restore its .tif files from a copy"
        )
    done = []
    if torn := of - (entries[-1].behind if entries else 0):
        done.append(f"{folder.name}: {torn} bytes of an entry of the index that was never finished were removed")
    before = {path: path.stat().st_size for path in stacks(folder)}
    cut_to(folder, entries, of)
    removed = sum(size - (path.stat().st_size if path.exists() else 0) for path, size in before.items())
    if removed:
        done.append(f"{folder.name}: {removed} bytes of frames that no entry of the index names were removed")
    return done


def stacks(folder: Path) -> list[Path]:
    """The files of images that are there."""
    found = []
    for path in folder.glob("NDTiffStack*.tif"):
        with contextlib.suppress(ValueError):
            found.append((number_of(path.name), path))
    return [path for _, path in sorted(found)]


def _check(folder: Path, entries: Sequence[Entry]) -> None:
    """Raise RecordError when others wrote the files: theirs may have what this program does not know of."""
    foreign = {entry.file for entry in entries} - {path.name for path in stacks(folder)}
    foreign = {name for name in foreign if (folder / name).exists()}
    for path in stacks(folder):
        with open(path, "rb") as file:
            magic, *_, summary, length = _NUMBERS.unpack(file.read(28)[8:].ljust(_NUMBERS.size, b"\0"))
            about = file.read(length if length < 1 << 20 else 0)
        if (magic, summary) != (_MAGIC, _SUMMARY) or b'"Software": "onscope"' not in about:
            foreign.add(path.name)
    if foreign:
        raise RecordError(
            f"found {min(foreign)} in {folder} written by another program, expected files of onscope: mend them with "
            "that program"
        )


def _whole(folder: Path, entry: Entry) -> bool:
    try:
        size = (folder / entry.file).stat().st_size
    except OSError:
        return False
    return max(entry.pixels_at + entry.spec.nbytes, entry.about_at + entry.about_length) <= size


def _following(path: Path, entry: Entry) -> bool:
    with open(path, "rb") as file:
        file.seek(entry.next_at)
        return any(file.read(CLASSIC.offset.size))


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise RecordError(
            f"{path} could not be removed ({error.strerror}), expected a folder that can be written to: make it so"
        ) from error
