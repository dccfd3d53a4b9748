"""TIFF files opened with care, and the images of their series one after the other."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any, NamedTuple

import numpy as np
import tifffile

from onscope.runtime import SourceError

from ._ome_xml import read_ome_xml
from ._reel import Array

TIFF_ERRORS = (
    tifffile.TiffFileError, OSError, zlib.error, struct.error,
    ValueError, RuntimeError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, MemoryError,
)  # fmt: skip
"""What tifffile raises on files that are cut off, damaged or compressed in an unknown way."""
AXES = {"T": "t", "Z": "z", "C": "c", "P": "p", "R": "p"}
"""tifffile's letters for axes, and ours; letters without a meaning (Q, I) stand for time where a file has no T."""


class Stored(NamedTuple):
    """One image of a series: its number there, its pixels, and its page (None: a part of one long block)."""

    number: int
    pixels: Array
    page: Any | None


@contextmanager
def open_tiff(path: Path) -> Iterator[Any]:
    """A tifffile.TiffFile whose chain of pages is whole; what goes wrong within the block is a SourceError."""
    try:
        with tifffile.TiffFile(path) as file:
            with _complaints() as complaints:
                len(file.pages)
            if complaints:
                raise ValueError(complaints[0])
            if file.is_ome and file.ome_metadata is not None:
                read_ome_xml(file.ome_metadata, path)  # before the other files that it names are opened
            if not file.series:
                raise SourceError(f"found no image in {path}, expected at least one: choose another file")
            yield file
    except TIFF_ERRORS as error:
        raise SourceError(
            f"found that {path} cannot be read as TIFF ({' '.join(str(error).split())}), expected a whole "
            "file of a known compression: store it again"
        ) from error


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What tifffile finds wrong with the chain of pages: it says so in its log, and goes on with those before."""
    found: list[str] = []
    thread = get_ident()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                found.append(record.getMessage())

    listener = Listener(logging.ERROR)
    tifffile.logger().addHandler(listener)
    try:
        yield found
    finally:
        tifffile.logger().removeHandler(listener)


def leading(series: Any, path: Path) -> dict[str, int]:
    """Our names and sizes of the axes before those of the image itself, in the order of the file."""
    letters = str(series.axes)
    image = "YXS" if letters.endswith("YXS") else "SYX" if letters.endswith("SYX") else "YX"
    if not letters.endswith(image):
        raise SourceError(f"found the axes {letters} in {path}, expected them to end in YX, YXS or SYX: store it so")
    names: list[str] = []
    for letter in letters[: -len(image)]:
        name = AXES.get(letter, "t" if "T" not in letters and "t" not in names else letter.lower())
        names.append(name if name not in names else letter.lower())
    return dict(zip(names, map(int, series.shape[: len(names)]), strict=True))


def images_in_series(file: Any, series: Any, path: Path) -> Iterator[Stored]:
    """The stored images one after the other, never more than one in memory; RGB as (y, x, samples).

    Pages that are missing (a file of several was not copied along) are left out.
    """
    sizes = tuple(leading(series, path).values())
    count = int(np.prod(sizes, dtype=np.int64))
    turn = str(series.axes).endswith("SYX")
    if len(series.pages) == count:
        with ExitStack() as opened:  # of a series in several files
            for number, page in enumerate(series.pages):
                if page is not None:
                    handle = page.parent.filehandle
                    if handle.closed:
                        handle.open()
                        opened.callback(handle.close)
                    yield Stored(number, _turned(page.asarray(), turn), page)
    elif series.dataoffset is not None:
        # One long block behind a single page: how ImageJ stores what is larger than 4 GB.
        block = tifffile.memmap(file.filehandle.path, mode="r", series=series.index)
        for number, plane in enumerate(block.reshape(count, *series.shape[len(sizes) :])):
            yield Stored(number, _turned(plane, turn), None)
    else:
        raise SourceError(
            f"found {len(series.pages)} pages for {count} images in {path}, expected one each: store one image a page"
        )


def _turned(pixels: Array, turn: bool) -> Array:
    return np.moveaxis(pixels, 0, -1) if turn and pixels.ndim == 3 else pixels


def tags_of(page: Any | None) -> object:
    """What Micro-Manager wrote to a page; None: nothing."""
    if page is None or page.is_virtual:
        return None
    tag = page.aspage().tags.get("MicroManagerMetadata")
    return None if tag is None else tag.value


def imagej_pixel_size_um(file: Any) -> float | None:
    """Of ImageJ files calibrated in micrometres; others do not tell it in one agreed way."""
    if not file.is_imagej or (file.imagej_metadata or {}).get("unit") not in ("micron", "um", "µm", "\\u00B5m"):
        return None
    tag = file.pages[0].tags.get("XResolution")
    if tag is None or not tag.value[0]:
        return None
    return float(tag.value[1]) / float(tag.value[0])
