"""The images of a recording: how large they are, how many of their elements are there, what they take on the disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from ._tables import counted

MOST_JSON = 1 << 22


@dataclass(frozen=True, slots=True)
class ImageAbout:
    """One image: `shape` of a frame, `elements` it has room for (None: not known), and how many are `there`."""

    path: str
    role: str
    stage: str | None
    shape: tuple[int, ...]
    dtype: str
    pixel_size_um: float | None
    elements: int | None
    there: int
    nbytes: int
    format: str = ""

    @property
    def missing(self) -> int | None:
        """Elements that are empty."""
        return None if self.elements is None else max(0, self.elements - self.there)


def images_of(
    folder: Path, entries: Iterable[Mapping[str, Any]], frames: Any, results: Any, *, sizes: bool
) -> list[ImageAbout]:
    """The images that a manifest (checked) lists, and the tables name; `sizes`: their files are measured."""
    there = dict(counted(frames, "array"))
    for name in () if results is None else results.column_names:
        if name.endswith("_array"):
            there |= counted(results, name)
    return [
        ImageAbout(
            path=entry["path"],
            role=entry["role"],
            stage=entry.get("stage"),
            shape=tuple(entry["shape"]),
            dtype=entry["dtype"],
            pixel_size_um=entry["pixel_size_um"],
            elements=_elements(folder / entry["path"]),
            there=there.get(entry["path"], 0),
            nbytes=_own_nbytes(folder / entry["path"]) if sizes else 0,
            format=str(entry.get("format", "")),
        )
        for entry in entries
    ]


def nbytes_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; links are not followed, what goes away meanwhile is left out."""
    try:
        if not path.is_dir() or path.is_symlink():
            return path.lstat().st_size
        with os.scandir(path) as inside:
            entries = list(inside)
        return sum(map(_size, entries))
    except OSError:
        return 0


def _own_nbytes(image: Path) -> int:
    """Without the labels under it, which are images of their own."""
    return nbytes_of(image) - nbytes_of(image / "labels")


def _size(entry: os.DirEntry[str]) -> int:
    try:
        if entry.is_dir(follow_symlinks=False):
            return nbytes_of(Path(entry.path))
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def _elements(image: Path) -> int | None:
    """Frames that the array of an OME-Zarr image has room for; None where that is not to be read."""
    path = image / "0" / "zarr.json"
    try:
        if path.stat().st_size > MOST_JSON or path.is_symlink():
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        shape, chunk = content["shape"], content["chunk_grid"]["configuration"]["chunk_shape"]
        return int(prod(-(-size // each) for size, each in zip(shape, chunk, strict=True)))  # a chunk is a frame
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, RecursionError):
        return None
