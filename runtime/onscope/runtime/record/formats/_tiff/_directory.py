"""One image of a TIFF file as bytes: its directory (IFD), the values beside it, and where its pixels stand.

Specifications: TIFF 6.0 (Adobe, 1992) and BigTIFF (https://www.awaresystems.be/imaging/tiff/bigtiff.html), both little
endian here whatever the machine.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...._frame import FrameSpec

ASCII, SHORT, LONG, RATIONAL, LONG8 = 2, 3, 4, 5, 16
DESCRIPTION, STRIP_OFFSETS, STRIP_BYTES = 270, 273, 279
_SAMPLE_FORMATS = {"u": 1, "i": 2, "f": 3}

Tag = tuple[int, int, int, bytes]
"""Number, type, count, and the value."""


@dataclass(frozen=True)
class Flavour:
    """Classic TIFF or BigTIFF: how the header, the number of entries, an entry's beginning and a place are packed.

    `about` is the tag with JSON of what is known of the image: Micro-Manager's in the one, a private one in the other.
    """

    header: struct.Struct
    count: struct.Struct
    entry: struct.Struct
    offset: struct.Struct
    about: int

    @property
    def first(self) -> int:
        """Where a file says where its first directory is."""
        return self.header.size - self.offset.size

    def next_at(self, directory: int, entries: int) -> int:
        """Where a directory of so many entries says where the next one is."""
        return directory + self.count.size + entries * (self.entry.size + self.offset.size)


CLASSIC = Flavour(struct.Struct("<2sHI"), struct.Struct("<H"), struct.Struct("<HHI"), struct.Struct("<I"), 51123)
BIG = Flavour(struct.Struct("<2sHHHQ"), struct.Struct("<Q"), struct.Struct("<HHQ"), struct.Struct("<Q"), 65123)


class Page(NamedTuple):
    """An image as it is written: `head` at `start` in the file, then the pixels at `pixels_at`, up to `end`.

    `next_at` is where the place of the next directory is written.
    """

    start: int
    head: bytearray
    next_at: int
    pixels_at: int
    end: int


def page_at(flavour: Flavour, start: int, spec: FrameSpec, about: bytes, description: bytes | None = None) -> Page:
    """The page that begins at byte `start` of a file; the place of its next directory is 0."""
    tags = _tags(flavour, spec, about, description)
    next_at = flavour.next_at(start, len(tags))
    value_at = next_at + flavour.offset.size
    beside = [tag for tag in tags if len(tag[3]) > flavour.offset.size]
    pixels_at = _even(value_at + sum(_even(len(value)) for _, _, _, value in beside))
    head = bytearray(pixels_at - start)
    flavour.count.pack_into(head, 0, len(tags))
    place = flavour.count.size
    for number, kind, count, value in tags:
        flavour.entry.pack_into(head, place, number, kind, count)
        place += flavour.entry.size
        if number == STRIP_OFFSETS:
            value = flavour.offset.pack(pixels_at)
        if len(value) <= flavour.offset.size:
            head[place : place + len(value)] = value
        else:
            flavour.offset.pack_into(head, place, value_at)
            head[value_at - start : value_at - start + len(value)] = value
            value_at = _even(value_at + len(value))
        place += flavour.offset.size
    return Page(start, head, next_at, pixels_at, _even(pixels_at + spec.nbytes))


def _tags(flavour: Flavour, spec: FrameSpec, about: bytes, description: bytes | None) -> Sequence[Tag]:
    height, width, *rest = spec.shape
    samples = rest[0] if rest else 1
    dtype = np.dtype(spec.dtype)
    each = struct.Struct(f"<{samples}H")
    unit, resolution = 1, (1, 1)
    if spec.pixel_size_um and 0.01 <= spec.pixel_size_um < 1e4:  # else it does not fit into a RATIONAL
        unit, resolution = 3, (round(1e7 / spec.pixel_size_um), 1000)  # pixels per centimetre
    return [
        (254, LONG, 1, struct.pack("<I", 0)),
        (256, LONG, 1, struct.pack("<I", width)),
        (257, LONG, 1, struct.pack("<I", height)),
        (258, SHORT, samples, each.pack(*[8 * dtype.itemsize] * samples)),
        (259, SHORT, 1, struct.pack("<H", 1)),
        (262, SHORT, 1, struct.pack("<H", 2 if samples == 3 else 1)),
        *([] if description is None else [(DESCRIPTION, ASCII, len(description), description)]),
        (STRIP_OFFSETS, LONG8 if flavour is BIG else LONG, 1, b""),  # known when all else is
        (277, SHORT, 1, struct.pack("<H", samples)),
        (278, LONG, 1, struct.pack("<I", height)),
        (STRIP_BYTES, LONG, 1, struct.pack("<I", spec.nbytes)),
        (282, RATIONAL, 1, struct.pack("<II", *resolution)),
        (283, RATIONAL, 1, struct.pack("<II", *resolution)),
        (284, SHORT, 1, struct.pack("<H", 1)),
        (296, SHORT, 1, struct.pack("<H", unit)),
        (339, SHORT, samples, each.pack(*[_SAMPLE_FORMATS[dtype.kind]] * samples)),
        (flavour.about, ASCII, len(about), about),
    ]


def _even(place: int) -> int:
    """Directories and values begin at even bytes."""
    return place + place % 2
