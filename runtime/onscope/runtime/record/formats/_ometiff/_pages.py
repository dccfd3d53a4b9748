"""A BigTIFF file as it is on the disk: its pages one by one, up to what a crash left behind them.

Only files of this program are read here: each page behind the one before it, uncompressed, in one strip. The file is
read and not mapped: a recorder that takes over may cut it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from ...._errors import RecordError
from .._tiff import BIG, DESCRIPTION, STRIP_BYTES, STRIP_OFFSETS

_SIZES = {2: 1, 3: 2, 4: 4, 5: 8, 16: 8}
_MOST_TAGS = 40
_DIRECTORY = BIG.next_at(0, _MOST_TAGS) + BIG.offset.size


class Description(NamedTuple):
    """The value of a page's description, and where the directory has its count and its place."""

    told_at: int
    place: int
    length: int


class Stored(NamedTuple):
    """A page: where its directory is and says where the next one is, its pixels and its JSON (place, length)."""

    start: int
    next_at: int
    following: int
    pixels: tuple[int, int]
    about: tuple[int, int]
    description: Description | None
    shape: tuple[int, ...]

    @property
    def end(self) -> int:
        """Behind its pixels."""
        place, length = self.pixels
        return place + length + length % 2


class _Tag(NamedTuple):
    """Where a value is, its bytes, the size of one of them, and where its count is told; `value` of what is small."""

    place: int
    length: int
    size: int
    told_at: int
    value: bytes

    @property
    def number(self) -> int:
        return int.from_bytes(self.value[: self.size], "little")


class Pages:
    """The pages of a file; a context manager, used by one thread. Raises RecordError when it is not such a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = FileIO(path)
            self.nbytes = self._file.seek(0, 2)
            head = self.bytes_of((0, BIG.header.size))
        except OSError as error:
            raise self.wrong(error.strerror or str(error)) from error
        if len(head) < BIG.header.size or BIG.header.unpack(head)[:4] != (b"II", 43, 8, 0):
            self.close()
            raise self.wrong("no BigTIFF header")
        self.first: int = BIG.header.unpack(head)[4]
        """Where the first page is said to be."""

    def __enter__(self) -> Pages:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def wrong(self, why: str) -> RecordError:
        """What to say of a file that is not what it should be."""
        return RecordError(f"{self.path} cannot be read ({why}), expected an OME-TIFF file of onscope: is it whole?")

    def __iter__(self) -> Iterator[Stored]:
        """The whole pages in their order: up to the end of the chain, or the first that is not whole."""
        place, behind = self.first, BIG.header.size
        while place >= behind and (page := self._page(place)) is not None:
            yield page
            behind, place = page.end, page.following

    def bytes_of(self, place: tuple[int, int]) -> bytes:
        """What stands at a place of so many bytes, or as much of it as there is. Raises OSError."""
        start, length = place
        self._file.seek(min(start, self.nbytes))  # not farther: file systems refuse what is beyond their largest file
        return self._file.read(min(length, max(0, self.nbytes - start)))

    def about(self, page: Stored) -> dict[str, Any]:
        """What is known of a page's image; raises RecordError."""
        try:
            found = json.loads(self.bytes_of(page.about))
            found["onscope"]["place"].items()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise self.wrong(f"the JSON at byte {page.about[0]} is damaged") from error
        return dict(found)

    def _page(self, start: int) -> Stored | None:
        data = self.bytes_of((start, _DIRECTORY))
        try:
            (entries,) = BIG.count.unpack_from(data)
            if not 0 < entries <= _MOST_TAGS:
                return None
            tags = {number: tag for number, tag in _tags(data, start, entries)}
            next_at = BIG.next_at(start, entries)
            (following,) = BIG.offset.unpack_from(data, next_at - start)
            about, description, samples = tags[BIG.about], tags.get(DESCRIPTION), tags[277].number
            page = Stored(
                start,
                next_at,
                following,
                (tags[STRIP_OFFSETS].number, tags[STRIP_BYTES].number),
                (about.place, about.length),
                description and Description(description.told_at, description.place, description.length),
                (tags[257].number, tags[256].number, *(() if samples == 1 else (samples,))),
            )
        except (struct.error, KeyError):  # cut off
            return None
        return page if start < page.pixels[0] and sum(page.pixels) <= self.nbytes else None


def _tags(data: bytes, start: int, entries: int) -> Iterator[tuple[int, _Tag]]:
    """The entries of a directory that begins at byte `start` of its file, by number."""
    at = BIG.count.size
    for _ in range(entries):
        number, kind, count = BIG.entry.unpack_from(data, at)
        value = data[at + BIG.entry.size : at + BIG.entry.size + BIG.offset.size]
        length = _SIZES[kind] * count
        place = start + at + BIG.entry.size if length <= BIG.offset.size else BIG.offset.unpack(value)[0]
        yield number, _Tag(place, length, _SIZES[kind], start + at + BIG.entry.size - 8, value)
        at += BIG.entry.size + BIG.offset.size
