"""`NDTiff.index`: an entry per image, which says by its axes where its pixels and its metadata are.

Format: https://github.com/micro-manager/NDTiffStorage (README, "NDTiff v3 specification").
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...._errors import FrameMismatchError, RecordError
from ...._frame import FrameSpec
from .._tiff import CLASSIC, page_at

NAME = "NDTiff.index"
_LENGTH = struct.Struct("<I")
_NUMBERS = struct.Struct("<8I")
_TYPES = {16: 1, 10: 3, 12: 4, 14: 5, 11: 6}
"""Of uint16 images by their effective bits; 0 is uint8, 2 uint8 with red, green and blue."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One image: its coordinates on NDTiff's axes, and where `file` has its pixels and its metadata.

    `behind` is where the index goes on behind the entry.
    """

    axes: Mapping[str, int | str]
    file: str
    spec: FrameSpec
    pixels_at: int
    about_at: int
    about_length: int
    behind: int = 0

    @property
    def end(self) -> int:
        """Where the next page of its file may begin."""
        end = self.pixels_at + self.spec.nbytes
        return end + end % 2

    @property
    def next_at(self) -> int:
        """Where its page says where the next one is."""
        page = page_at(CLASSIC, 0, self.spec, bytes(self.about_length))
        return page.next_at + self.pixels_at - page.pixels_at

    def pack(self) -> bytes:
        """The entry as it is stored."""
        axes, file = json.dumps(dict(self.axes)).encode(), self.file.encode()
        height, width = self.spec.shape[:2]
        numbers = (self.pixels_at, width, height, pixel_type(self.spec), 0, self.about_at, self.about_length, 0)
        return b"".join((_LENGTH.pack(len(axes)), axes, _LENGTH.pack(len(file)), file, _NUMBERS.pack(*numbers)))


def pixel_type(spec: FrameSpec) -> int:
    """NDTiff's number of a pixel type; raises RecordError when it has none."""
    if spec.axes == "yx" and spec.dtype == "uint8":
        return 0
    if spec.axes == "yx" and spec.dtype == "uint16":
        return _TYPES.get(spec.bit_depth, 1)
    if spec.axes == "yxs" and spec.dtype == "uint8":
        return 2
    raise RecordError(
        f"found frames of {spec.dtype} with the axes {spec.axes} from {spec.camera}, expected uint8 or uint16 grey or "
        "uint8 RGB, which is what NDTiff can hold: record them as ome-zarr or ome-tiff"
    )


def entries_of(folder: Path) -> tuple[list[Entry], int]:
    """The whole entries of an index, and its bytes, which a crash may have cut off behind them. Raises RecordError."""
    path = folder / NAME
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(
            f"{path} cannot be read ({error.strerror}), expected the index of an NDTiff data set: is the folder whole?"
        ) from error
    return list(_entries(data)), len(data)


def _entries(data: bytes) -> Iterator[Entry]:
    at = 0
    while at < len(data):
        try:
            (length,) = _LENGTH.unpack_from(data, at)
            axes = json.loads(data[at + 4 : at + 4 + length])
            at += 4 + length
            (length,) = _LENGTH.unpack_from(data, at)
            file = data[at + 4 : at + 4 + length].decode()
            at += 4 + length
            pixels_at, width, height, kind, _, about_at, about_length, _ = _NUMBERS.unpack_from(data, at)
            at += _NUMBERS.size
            spec = _spec(height, width, kind)
        except (struct.error, ValueError, RecursionError, FrameMismatchError):  # cut off
            return
        if not isinstance(axes, dict) or Path(file).name != file or not file.endswith(".tif"):
            return
        yield Entry(axes, file, spec, pixels_at, about_at, about_length, at)


def _spec(height: int, width: int, kind: int) -> FrameSpec:
    if kind == 2:
        return FrameSpec((height, width, 3), "uint8", "yxs", bit_depth=8)
    if kind == 0:
        return FrameSpec((height, width), "uint8", bit_depth=8)
    bits = {number: bits for bits, number in _TYPES.items()}
    if kind not in bits:
        raise ValueError(f"pixel type {kind}")
    return FrameSpec((height, width), "uint16", bit_depth=bits[kind])
