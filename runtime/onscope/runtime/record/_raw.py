"""Raw frames on their way to the disk: pixels as they came, and who each of them is."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from .._clock import ClockPair
from .._errors import RecordError
from .._frame import Frame, FrameSpec, Source
from ._files import require_space
from ._flight import Flight
from ._images import ImageWriter
from ._tables import TableWriter

FRAMES = pa.schema(
    [
        ("array", pa.string()),
        ("index", pa.int64()),
        ("run", pa.string()),
        ("camera", pa.string()),
        ("segment", pa.int64()),
        ("seq", pa.int64()),
        ("position", pa.string()),
        ("received_ns", pa.int64()),
        ("exposure_end_ns", pa.int64()),
        # Microseconds: the wall clock knows no more, and without pandas PyArrow cannot show dates of nanoseconds.
        ("wall", pa.timestamp("us", tz="UTC")),
        ("exposure_ms", pa.float64()),
        ("pixel_size_um", pa.float64()),
        ("stage_x_um", pa.float64()),
        ("stage_y_um", pa.float64()),
        ("stage_z_um", pa.float64()),
    ]
)
"""Columns of `frames.parquet`: element `index` of the image `array` is this frame; `position` is JSON (t, p, c, z)."""


class RawWriter:
    """One image per camera and segment, and the table `frames`. Safe to use from several threads."""

    def __init__(self, folder: Path, clock: ClockPair, on_image: Callable[[ImageWriter, Frame], None]) -> None:
        self._folder = folder
        self._clock = clock
        self._on_image = on_image
        self._lock = threading.Lock()
        self._images: dict[tuple[str, str, int], ImageWriter] = {}
        self._on_disk: dict[ImageWriter, int] = {}
        self._flight = Flight()
        self._table = TableWriter(folder, "frames", FRAMES)
        self._closed = False
        self._spare: ImageWriter | None = None

    @property
    def count(self) -> int:
        """Frames that are on the disk and in the table."""
        return self._table.rows

    def prepare(self, spec: FrameSpec, expected: int | None = None) -> None:
        """Make the files for frames like `spec` ahead of the first one; raises RecordError when that fails."""
        with self._lock:
            if not self._images and self._spare is None and not self._closed:
                self._spare = self._new_image(spec.shape, spec.dtype, spec.pixel_size_um, expected)

    def save(self, frame: Frame, expected: int | None = None) -> None:
        """Begin to save a frame; waits when the disk is behind. Raises RecordError when it cannot be saved."""
        with self._lock:
            if self._closed:
                raise RecordError(
                    f"frame {frame.id} came after the recording in {self._folder} was finished, expected none: finish "
                    "a recording after its last frame"
                )
            image = self._image_of(frame, expected)
            index, future = image.write(frame.pixels)
            acknowledge = partial(self._acknowledge, image, index, self._row(image, index, frame))
            self._flight.add(f"frame {frame.id}", [future], image.nbytes, acknowledge)

    def reap(self) -> None:
        """Enter what is on the disk by now into the table; raises RecordError when a frame could not be saved."""
        with self._lock:
            self._flight.reap()

    def drain(self) -> None:
        """Wait until every frame that was given is on the disk."""
        with self._lock:
            self._flight.drain()

    def steps_of_closing(self) -> Iterator[Callable[[], object]]:
        """What must be done to close, each to be tried even when another fails."""
        with self._lock:
            self._closed = True
        yield self.drain
        for image in self._images.values():
            yield partial(self._cut, image)
        if self._spare is not None:
            yield partial(shutil.rmtree, self._spare.path)
        yield self._table.close

    def _cut(self, image: ImageWriter) -> None:
        image.close(self._on_disk.get(image, 0))

    def lengths(self) -> dict[str, int]:
        """Frames on the disk by image."""
        return {image.path.name: self._on_disk.get(image, 0) for image in self._images.values()}

    def _acknowledge(self, image: ImageWriter, index: int, row: list[list[Any]]) -> None:
        self._table.append(row)
        self._on_disk[image] = index + 1

    def _image_of(self, frame: Frame, expected: int | None) -> ImageWriter:
        key = frame.id[:3]
        if key not in self._images:
            image, self._spare = self._spare, None
            size, dtype = frame.pixel_size_um, frame.pixels.dtype.name
            if image is not None and (image.shape, image.dtype.name, image.pixel_size_um) != (
                frame.pixels.shape,
                dtype,
                size,
            ):
                shutil.rmtree(image.path)
                image = None
            self._images[key] = image or self._new_image(frame.pixels.shape, dtype, size, expected)
            self._on_image(self._images[key], frame)
        return self._images[key]

    def _new_image(
        self, shape: tuple[int, ...], dtype: str, pixel_size_um: float | None, expected: int | None
    ) -> ImageWriter:
        number = len(self._images)
        path = self._folder / (f"raw-{number}.ome.zarr" if number else "raw.ome.zarr")
        attributes = {"role": "raw"}
        return ImageWriter(path, shape, dtype, pixel_size_um=pixel_size_um, expected=expected, attributes=attributes)

    def _row(self, image: ImageWriter, index: int, frame: Frame) -> list[list[Any]]:
        x, y, z = frame.stage_um or (None, None, None)
        wall = self._clock.wall_of(frame.received_ns) // 1000
        row = [image.path.name, index, *frame.id, json.dumps(dict(frame.index)), frame.received_ns]
        row += [frame.exposure_end_ns, wall, frame.exposure_ms, frame.pixel_size_um, x, y, z]
        return [[value] for value in row]


class RecordedSource:
    """A source whose frames are saved before they are passed on, each with read-only pixels."""

    def __init__(self, source: Source, raw: RawWriter, folder: Path) -> None:
        self._source = source
        self._raw = raw
        self._folder = folder

    def spec(self) -> FrameSpec:
        """What the next frames will look like."""
        return self._source.spec()

    def frames(self, n: int | None = None) -> Iterator[Frame]:
        """Yield the source's frames; raises RecordError when the disk is full, or has no room for `n` frames."""
        if n is not None:
            require_space(self._folder, n * self._source.spec().nbytes, f"{n} raw frames")
        self._raw.prepare(self._source.spec(), n)
        frames = self._source.frames(n)
        try:
            for frame in frames:
                # The one array is written and inferred at the same time: nobody may change it from here on.
                pixels = frame.pixels.view()
                pixels.flags.writeable = False
                frame = replace(frame, pixels=pixels)
                self._raw.save(frame, n)
                yield frame
                self._raw.reap()  # after the frame went on: bookkeeping adds nothing to its latency
            self._raw.drain()
        finally:
            close = getattr(frames, "close", None)
            if close is not None:
                close()
