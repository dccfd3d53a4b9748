"""What lies in a recording's folder: arrays with their chunks, and all other files. Links are never followed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

ASIDE = "unacknowledged"
"""The folder that `repair` puts things into which are no part of the recording."""
DEEPEST = 16
MOST_JSON = 16 << 20
MOST_CHUNK = 1 << 31
"""Bytes of a chunk, or of a file of JSON, that is read at all: more is no recording's."""
CHUNKS = "c"
DTYPES = ("bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)), "float32", "float64")


@dataclass(frozen=True)
class ZarrArray:
    """An array of Zarr 3 in a recording: `name` is its folder within the recording, with "/" between its parts.

    `fault` says why it is none; the other values mean nothing then.
    """

    folder: Path
    name: str
    shape: tuple[int, ...] = ()
    chunk: tuple[int, ...] = ()
    dtype: str = "uint8"
    axes: tuple[str, ...] = ()
    summed: bool = False
    """Whether each chunk has a checksum of its own."""
    fault: str = ""

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def image(self) -> str:
        """The image that it is a level of."""
        return self.name.rpartition("/")[0]

    @property
    def level(self) -> str:
        return self.name.rpartition("/")[2]

    @cached_property
    def grid(self) -> tuple[int, ...]:
        """Chunks along each axis."""
        return tuple(-(-size // chunk) for size, chunk in zip(self.shape, self.chunk, strict=True))

    def key_of(self, at: tuple[int, ...]) -> tuple[int, ...] | None:
        """The chunk of the element `at` (indices along the axes before y and x, but those that a chunk holds wholly).

        None: no element of this array.
        """
        axes = self.axes or tuple("tczyx"[: len(self.shape)])
        growing = [n for n, axis in enumerate(axes) if axis not in ("y", "x")]
        if len(growing) == len(at) + 1 and "c" in axes:
            growing.remove(axes.index("c"))  # samples
        if len(growing) != len(at):
            return None
        key = [0] * len(self.shape)
        for place, index in zip(growing, at, strict=True):
            if not 0 <= index < self.shape[place] or self.chunk[place] != 1:
                return None
            key[place] = index
        return tuple(key)

    def file_of(self, key: tuple[int, ...]) -> Path:
        return self.path.joinpath(CHUNKS, *map(str, key))


@dataclass
class Inventory:
    """`files` and `links` are names within the folder; what is in `unacknowledged/` is left out."""

    folder: Path
    arrays: list[ZarrArray] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    """Links, and what is neither a file nor a folder."""


def take_inventory(folder: Path) -> Inventory:
    """Look through a folder; raises OSError when it cannot be read."""
    found = Inventory(folder)
    _look(found, "", 0)
    return found


def _look(found: Inventory, name: str, depth: int) -> None:
    inside = sorted(os.scandir(found.folder / name), key=lambda entry: entry.name)
    array = None
    if any(entry.name == "zarr.json" and entry.is_file(follow_symlinks=False) for entry in inside):
        array = _array(found.folder, name)
    if array is not None:
        found.arrays.append(array)
    for entry in inside:
        path = f"{name}/{entry.name}" if name else entry.name
        if entry.is_symlink() or not (entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)):
            found.links.append(path)
        elif entry.is_file(follow_symlinks=False):
            found.files.append(path)
        elif (array is None or entry.name != CHUNKS) and path != ASIDE:
            if depth >= DEEPEST:
                found.links.append(path)
            else:
                _look(found, path, depth + 1)


def chunk_files(array: ZarrArray) -> Iterator[tuple[tuple[int, ...] | None, str]]:
    """The files below an array's folder of chunks: the chunk's key (None: it is no chunk) and its name in the array."""
    pending = [CHUNKS] if (array.path / CHUNKS).is_dir() and not (array.path / CHUNKS).is_symlink() else []
    while pending:
        folder = pending.pop()
        for entry in os.scandir(array.path / folder):
            path = f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False) and path.count("/") <= len(array.shape):
                pending.append(path)
            else:
                yield (_key(array, path) if entry.is_file(follow_symlinks=False) else None), path


def _key(array: ZarrArray, path: str) -> tuple[int, ...] | None:
    parts = path.split("/")[1:]
    if len(parts) != len(array.shape) or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    if any(part != str(int(part)) for part in parts):
        return None
    return tuple(map(int, parts))


def _array(folder: Path, name: str) -> ZarrArray | None:
    """The array of a folder with a zarr.json; None: it is a group, or none that tells what it is."""
    path = folder / name / "zarr.json"
    try:
        if path.stat().st_size > MOST_JSON:
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        has_chunks = (folder / name / CHUNKS).is_dir()
        return ZarrArray(folder, name, fault="its zarr.json cannot be read") if has_chunks else None
    if not isinstance(content, dict) or content.get("node_type") != "array":
        return None
    try:
        return _described(folder, name, content)
    except (KeyError, TypeError, ValueError) as error:
        return ZarrArray(folder, name, fault=f"its zarr.json is no array's ({error!r})")


def _described(folder: Path, name: str, content: dict[str, Any]) -> ZarrArray:
    shape, chunk = _sizes(content["shape"]), _sizes(content["chunk_grid"]["configuration"]["chunk_shape"])
    dtype = content["data_type"]
    if dtype not in DTYPES or len(shape) != len(chunk) or 0 in chunk:
        raise ValueError("sizes or type")
    if prod(chunk) * np.dtype(dtype).itemsize > MOST_CHUNK:
        raise ValueError("too large a chunk")
    codecs = [codec["name"] for codec in content["codecs"]]
    axes = content.get("dimension_names") or ()
    if axes and (len(axes) != len(shape) or not all(isinstance(axis, str) for axis in axes)):
        raise ValueError("axes")
    return ZarrArray(folder, name, shape, chunk, dtype, tuple(axes), codecs[-1:] == ["crc32c"])


def _sizes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(isinstance(size, int) and 0 <= size < 1 << 48 for size in value):
        raise ValueError("sizes")
    return tuple(value)
