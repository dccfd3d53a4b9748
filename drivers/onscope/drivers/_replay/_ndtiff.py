"""NDTiff data sets, as Micro-Manager 2 and pycro-manager write them: an index, and the images in TIFF files beside it.

Format: https://github.com/micro-manager/NDTiffStorage (version 3). The index is read here, not by ndstorage, so that
a replay needs no further package and a damaged index is told of in one sentence.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np

from onscope.runtime import FrameSpec, SourceError

from ._grid import check_pick, ranks
from ._micromanager import Told, read_tags
from ._reel import Array, Shot, axes_of, greying, plain

INDEX = "NDTiff.index"
LARGEST_INDEX, LARGEST_TAGS = 1 << 30, 1 << 26
NAMES = {"time": "t", "channel": "c", "position": "p", "z": "z"}
PIXELS = {0: ("uint8", 1), 1: ("uint16", 1), 2: ("uint8", 3), **dict.fromkeys((3, 4, 5, 6), ("uint16", 1))}
"""Pixel types of the index: NumPy's name and samples; 3 to 6 are 10 to 14 bits in 16."""
WHAT_BREAKS = (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError, OverflowError)


@dataclass(frozen=True, slots=True)
class Entry:
    """An image of the index: its axes as stored, and where its pixels and metadata are (bytes) in which file."""

    axes: Mapping[str, int | str]
    file: str
    offset: int
    width: int
    height: int
    kind: int
    tags_offset: int
    tags_length: int


class NDTiffReel:
    """All images of a data set, in the order of its index, which is that of the acquisition.

    Names on an axis (channels) are numbered by their first mention. Elements of the grid of axes that are not in the
    index are a jump of `seq`.
    """

    def __init__(
        self,
        folder: Path,
        camera: str | None,
        pick: Mapping[str, int],
        colour: bool | None,
        pixel_size_um: float | None,
    ) -> None:
        self._folder = folder
        entries = read_index(folder / INDEX)
        rows, labels = _numbered(entries)
        sizes = {axis: 1 + max(row.get(axis, 0) for row in rows) for axis in sorted({a for row in rows for a in row})}
        check_pick(pick, sizes, folder)
        taken = [k for k, row in enumerate(rows) if all(row.get(axis) == place for axis, place in pick.items())]
        if not taken:
            raise SourceError(f"found no image at {dict(pick)} in {folder}, expected at least one: pick another")
        self._entries = [entries[k] for k in taken]
        self._rows = [rows[k] for k in taken]
        self._labels = [labels[k] for k in taken]
        self._seqs = ranks(self._rows)
        with _Files(folder) as files:
            stored, told = files.image(self._entries[0])
        self._greying = greying(stored, colour)
        pixels = plain(stored, self._greying, folder)
        self._pixel_size_um = pixel_size_um
        self._spec = FrameSpec(
            pixels.shape,
            pixels.dtype.name,
            axes_of(pixels, folder),
            camera or told.camera or "replay",
            pixel_size_um or told.pixel_size_um,
            8 * pixels.dtype.itemsize,
        )

    @property
    def specs(self) -> list[FrameSpec]:
        return [self._spec]

    def shots(self) -> Iterator[Shot]:
        """With the times, exposures and stage positions that Micro-Manager wrote to each image."""
        first: float | None = None
        with _Files(self._folder) as files:
            for entry, row, labels, seq in zip(self._entries, self._rows, self._labels, self._seqs, strict=True):
                stored, told = files.image(entry)
                pixels = plain(stored, self._greying, self._folder)
                if pixels.shape != self._spec.shape or pixels.dtype != self._spec.dtype:
                    raise SourceError(
                        f"found an image of {'x'.join(map(str, pixels.shape))} {pixels.dtype} at {dict(entry.axes)} in "
                        f"{self._folder}, expected {'x'.join(map(str, self._spec.shape))} {self._spec.dtype} as the "
                        "first one: pick images that look alike"
                    )
                names = dict(labels)
                if "c" in row and told.channel:
                    names.setdefault("c", told.channel)
                if "p" in row and told.position:
                    names.setdefault("p", told.position)
                if first is None:
                    first = told.seconds
                seconds = None if first is None or told.seconds is None else told.seconds - first
                size = self._pixel_size_um or told.pixel_size_um
                yield Shot(
                    pixels.copy(),
                    MappingProxyType(row),
                    seq,
                    0,
                    seconds,
                    size,
                    told.exposure_ms,
                    told.stage_um,
                    MappingProxyType(names),
                )


class _Files:
    """The TIFF files of a data set, each opened once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, BinaryIO] = {}

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *error: object) -> None:
        for file in self._open.values():
            file.close()

    def image(self, entry: Entry) -> tuple[Array, Told]:
        """The pixels, (y, x) or (y, x, 3), and what was written beside them."""
        dtype, samples = PIXELS[entry.kind]
        shape = (entry.height, entry.width) if samples == 1 else (entry.height, entry.width, samples)
        count = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        try:
            content = self._read(entry.file, entry.offset, count)
            tags: Any = None
            if 0 < entry.tags_length <= LARGEST_TAGS:
                tags = json.loads(self._read(entry.file, entry.tags_offset, entry.tags_length))
            # NDTiff is written in the byte order of the machine, which is little-endian wherever Micro-Manager runs.
            return np.frombuffer(content, np.dtype(dtype).newbyteorder("<")).reshape(shape), read_tags(tags)
        except WHAT_BREAKS as error:
            raise SourceError(
                f"found that the image {dict(entry.axes)} of {self._folder / entry.file} cannot be read ({error}), "
                "expected a whole NDTiff: restore it from a copy"
            ) from error

    def _read(self, name: str, offset: int, count: int) -> bytes:
        if name not in self._open:
            self._open[name] = (self._folder / name).open("rb")
        file = self._open[name]
        size = file.seek(0, 2)
        if offset + count > size:
            raise ValueError(f"it ends at byte {size}, before {offset + count}")
        file.seek(offset)
        return file.read(count)


def read_index(path: Path) -> list[Entry]:
    """The images of an index, in its order; one that is named twice counts as it was written last.

    Raises SourceError for an index that is damaged or leads out of its folder.
    """
    try:
        if path.stat().st_size > LARGEST_INDEX:
            raise ValueError(f"{path.stat().st_size} bytes")
        data = path.read_bytes()
        found: dict[frozenset[tuple[str, int | str]], Entry] = {}
        position = 0
        while position < len(data):
            axes_text, position = _text(data, position)
            if not axes_text:
                break  # room that was made beforehand, and not filled
            name, position = _text(data, position)
            offset, width, height, kind, packed, at, length, tags_packed = struct.unpack_from("<8I", data, position)
            position += 32
            if packed or tags_packed or kind not in PIXELS or not 0 < width * height <= 1 << 31:
                raise ValueError(f"an image of {width}x{height}, type {kind}, compression {packed}")
            if not name or Path(name).name != name or "\\" in name or name in ("..", "."):
                raise ValueError(f"the file name {name[:80]!r}")
            axes = json.loads(axes_text)
            if not all(isinstance(value, (int, str)) and not isinstance(value, bool) for value in axes.values()):
                raise ValueError(f"the axes {axes_text[:80]}")
            found[frozenset(axes.items())] = Entry(axes, name, offset, width, height, kind, at, length)
    except WHAT_BREAKS as error:
        raise SourceError(
            f"found an index {path} that cannot be read ({error}), expected that of an NDTiff, version 3: restore it "
            "from a copy"
        ) from error
    if not found:
        raise SourceError(f"found no image in {path}, expected at least one: the acquisition ended before it")
    return list(found.values())


def _text(data: bytes, position: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<I", data, position)
    end = position + 4 + length
    if end > len(data):
        raise ValueError(f"it ends at byte {len(data)}, before {end}")
    return data[position + 4 : end].decode(), end


def _numbered(entries: list[Entry]) -> tuple[list[dict[str, int]], list[dict[str, str]]]:
    """The axes of each image by our names, in numbers from 0, and the names that stood for them."""
    names: dict[str, dict[str, int]] = {}
    lowest: dict[str, int] = {}
    for entry in entries:
        for axis, value in entry.axes.items():
            if isinstance(value, str):
                known = names.setdefault(axis, {})
                known.setdefault(value, len(known))
            else:
                lowest[axis] = min(lowest.get(axis, 0), value)
    rows, labels = [], []
    for entry in entries:
        row, label = {}, {}
        for axis, value in entry.axes.items():
            ours = NAMES.get(axis, axis)
            if isinstance(value, str):
                row[ours], label[ours] = names[axis][value], value
            else:
                row[ours] = value - lowest[axis]
        rows.append(row)
        labels.append(label)
    return rows, labels
