"""TIFF stacks, read page by page."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from types import MappingProxyType
from typing import Any

import numpy as np
import tifffile

from onscope.runtime import FrameSpec, SourceError

from ._reel import Array, Shot, axes_of, greying, plain

TIFF_ERRORS = (tifffile.TiffFileError, ValueError, OSError, RuntimeError, KeyError, IndexError, zlib.error)
"""What tifffile raises on files that are cut off, damaged or compressed in an unknown way."""
AXES = {"T": "t", "Z": "z", "C": "c", "P": "p", "R": "p"}
"""tifffile's letters for axes, and ours; letters without a meaning (Q, I) stand for time where a file has no T."""


class StackReel:
    """The first image series of a TIFF file: plain, ImageJ, OME or Micro-Manager."""

    def __init__(
        self, path: Path, camera: str, pick: Mapping[str, int], colour: bool | None, pixel_size_um: float | None
    ) -> None:
        self._path, self._pick = path, dict(pick)
        with self._open() as file:
            series = file.series[0]
            axes, sizes = _leading(series, path)
            for axis, place in self._pick.items():
                if axis not in axes or not 0 <= place < sizes[axes.index(axis)]:
                    raise SourceError(
                        f"found the axes {dict(zip(axes, sizes, strict=True))} in {path}, expected them to hold "
                        f"{axis}={place}: pick what is there"
                    )
            first = next(_planes(file, series, path))
            self._greying = greying(first, colour)
            pixels = plain(first, self._greying, path)
            self._spec = FrameSpec(
                pixels.shape,
                pixels.dtype.name,
                axes_of(pixels, path),
                camera,
                pixel_size_um or _pixel_size_um(file),
                8 * pixels.dtype.itemsize,
            )

    @property
    def spec(self) -> FrameSpec:
        return self._spec

    def shots(self) -> Iterator[Shot]:
        """The planes in the order of the file; those that were picked, counted from 0."""
        with self._open() as file:
            series = file.series[0]
            axes, sizes = _leading(series, self._path)
            interval_s = (file.imagej_metadata or {}).get("finterval") if file.is_imagej else None
            seq = 0
            for number, stored in enumerate(_planes(file, series, self._path)):
                place = dict(zip(axes, map(int, np.unravel_index(number, sizes or (1,))), strict=False))
                if any(place[axis] != wanted for axis, wanted in self._pick.items()):
                    continue
                pixels = plain(stored, self._greying, self._path)
                if pixels.base is not None or not pixels.flags.owndata:
                    pixels = pixels.copy()
                seconds = place.get("t", 0) * float(interval_s) if interval_s else _elapsed_s(file, number)
                yield Shot(pixels, MappingProxyType(place or {"t": 0}), seq, 0, seconds, self._spec.pixel_size_um)
                seq += 1

    @contextmanager
    def _open(self) -> Iterator[Any]:
        try:
            with tifffile.TiffFile(self._path) as file:
                with _complaints() as complaints:
                    len(file.pages)
                if complaints:
                    raise ValueError(complaints[0])
                if not file.series:
                    raise SourceError(f"found no image in {self._path}, expected at least one: choose another file")
                yield file
        except TIFF_ERRORS as error:
            raise SourceError(
                f"found that {self._path} cannot be read as TIFF ({' '.join(str(error).split())}), expected a whole "
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


def _leading(series: Any, path: Path) -> tuple[list[str], tuple[int, ...]]:
    """Our names and sizes of the axes before those of the image itself."""
    letters = str(series.axes)
    image = "YXS" if letters.endswith("YXS") else "SYX" if letters.endswith("SYX") else "YX"
    if not letters.endswith(image):
        raise SourceError(f"found the axes {letters} in {path}, expected them to end in YX, YXS or SYX: store it so")
    names: list[str] = []
    for letter in letters[: -len(image)]:
        name = AXES.get(letter, "t" if "T" not in letters and "t" not in names else letter.lower())
        names.append(name if name not in names else letter.lower())
    return names, tuple(int(size) for size in series.shape[: len(names)])


def _planes(file: Any, series: Any, path: Path) -> Iterator[Array]:
    """The stored images one after the other, never more than one in memory; RGB as (y, x, samples)."""
    _, sizes = _leading(series, path)
    count = int(np.prod(sizes, dtype=np.int64))
    if len(series.pages) == count:
        planes: Iterator[Array] = (page.asarray() for page in series.pages)
    elif series.dataoffset is not None:
        # One long block behind a single page: how ImageJ stores what is larger than 4 GB.
        block = tifffile.memmap(file.filehandle.path, mode="r", series=series.index)
        planes = iter(block.reshape(count, *series.shape[len(sizes) :]))
    else:
        raise SourceError(
            f"found {len(series.pages)} pages for {count} images in {path}, expected one each: store one image a page"
        )
    turn = str(series.axes).endswith("SYX")
    for plane in planes:
        yield np.moveaxis(plane, 0, -1) if turn and plane.ndim == 3 else plane


def _pixel_size_um(file: Any) -> float | None:
    """Of ImageJ files calibrated in micrometres; others do not tell it in one agreed way."""
    if not file.is_imagej or (file.imagej_metadata or {}).get("unit") not in ("micron", "um", "µm", "\\u00B5m"):
        return None
    tag = file.pages[0].tags.get("XResolution")
    if tag is None or not tag.value[0]:
        return None
    return float(tag.value[1]) / float(tag.value[0])


def _elapsed_s(file: Any, page: int) -> float | None:
    """Seconds since the start that Micro-Manager wrote to a page."""
    if not file.is_micromanager or page >= len(file.pages):
        return None
    tag = file.pages[page].tags.get("MicroManagerMetadata")
    elapsed = tag.value.get("ElapsedTime-ms") if tag is not None and isinstance(tag.value, dict) else None
    return None if elapsed is None else float(elapsed) / 1e3
