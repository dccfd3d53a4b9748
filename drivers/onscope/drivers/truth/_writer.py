"""Truth on its way to the disk: images once, for as long as they stay the same, and rows that say which is whose."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onscope.runtime import FrameId, RecordError
from onscope.runtime.record import ImageWriter, TableWriter, write_json
from onscope.specimen import Truth, View

from ._tables import COLUMNS, object_columns

Array = npt.NDArray[Any]

FOLDER = "truth"
"""Of a recording."""
NAME = "truth.json"
SERIES = ("counts", "labels", "nuclei")

WHO = (("run", pa.string()), ("camera", pa.string()), ("segment", pa.int64()), ("seq", pa.int64()))
FRAMES = pa.schema(
    [
        ("exposure", pa.int64()),
        *WHO,
        *((name, pa.float64()) for name in ("time_s", "y_um", "x_um", "pixel_um")),
        *(
            (f"{name}_{what}", kind)
            for name in SERIES
            for what, kind in (("array", pa.string()), ("index", pa.int64()))
        ),
    ]
)
"""A row per frame; what is null in one that was missed is not known any more."""
OBJECTS = pa.schema([("exposure", pa.int64()), *COLUMNS])


class TruthWriter:
    """The truth of one recording, in a new folder; a context manager, used by one thread at a time.

    `counts.ome.zarr` (float32: counts that a camera without noise would give), `labels.ome.zarr` and
    `nuclei.ome.zarr` (int32 ids); `frames` and `objects` as tables, which are Arrow streams until `close`;
    `truth.json` says what there is, and `about` it. A row is written when its images are on the disk, so that what was
    cut off by a crash names nothing that is not there. Raises RecordError when the disk refuses it, or the folder is
    there.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any] | None = None) -> None:
        self.folder = folder
        self.saved = 0
        self.missing = 0
        self._images: dict[tuple[object, ...], _Series] = {}
        self._tables: list[TableWriter] = []
        self._about = {"schema": 1, "onscope": version("onscope"), **(about or {})}
        self._closed = False
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise RecordError(
                f"{folder} cannot be made ({error.strerror}): choose a new folder for the truth"
            ) from error
        self._describe("open")
        self._frames = TableWriter(folder, "frames", FRAMES, csv=True)
        self._objects = TableWriter(folder, "objects", OBJECTS, csv=True)

    def __enter__(self) -> TruthWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("complete" if error is None else "interrupted")

    def add(self, exposure: int, counts: Array, truth: Truth, view: View, frame: FrameId | None = None) -> None:
        """Save what is true of one exposure, and wait until it is on the disk.

        `counts` is float32 (rows, columns) of the image, labels have the unbinned pixels of the `view`. An image that
        is as the last one was is not written again. The arrays must not change. Exposures come in rising order.
        """
        binning = view.shape[0] / counts.shape[0]
        sizes = (view.pixel_um * binning, view.pixel_um, view.pixel_um)
        places: list[object] = []
        for name, image, size_um in zip(SERIES, (counts, truth.labels, truth.nuclei), sizes, strict=True):
            series = self._series(name, image, size_um)
            places += [series.writer.path.name, series.place(image)]
        objects = object_columns(truth)
        rows = len(objects["id"])
        self._objects.append([np.full(rows, exposure), *(objects[name] for name, _ in COLUMNS)])
        y_um, x_um = view.centre_um
        known = [truth.time_s, y_um, x_um, view.pixel_um, *places]
        self._frames.append([[value] for value in (exposure, *(frame or [None] * 4), *known)])
        self.saved += 1

    def miss(self, exposure: int, frame: FrameId | None = None) -> None:
        """Say of an exposure that its truth is not known any more."""
        values = (exposure, *(frame or [None] * 4))
        self._frames.append([[value] for value in (*values, *[None] * (len(FRAMES) - len(values)))])
        self.missing += 1

    def pass_over(self, count: int) -> None:
        """Count exposures whose truth was never to be had, and that have no row."""
        self.missing += count

    def close(self, state: str = "complete") -> None:
        """Close all files; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        for series in self._images.values():
            series.writer.close(series.count)
        self._objects.close()
        self._frames.close()
        self._describe(state)

    def _series(self, name: str, image: Array, pixel_um: float) -> _Series:
        key = (name, image.shape, image.dtype.name, pixel_um)
        if key not in self._images:
            number = sum(other == name for other, *_ in self._images)
            path = self.folder / (f"{name}-{number}.ome.zarr" if number else f"{name}.ome.zarr")
            writer = ImageWriter(path, image.shape, image.dtype.name, pixel_size_um=pixel_um)
            self._images[key] = _Series(writer)
            self._describe("open")
        return self._images[key]

    def _describe(self, state: str) -> None:
        images = [
            {
                "path": series.writer.path.name,
                "shape": list(series.writer.shape),
                "dtype": series.writer.dtype.name,
                "pixel_size_um": series.writer.pixel_size_um,
            }
            for series in self._images.values()
        ]
        ends = {} if state == "open" else {"saved": self.saved, "missing": self.missing}
        try:
            write_json(self.folder / NAME, {**self._about, "state": state, **ends, "images": images})
        except OSError as error:
            raise RecordError(f"{NAME} could not be written to {self.folder} ({error.strerror}): make room") from error


class _Series:
    """One series of images, and the last of them."""

    def __init__(self, writer: ImageWriter) -> None:
        self.writer = writer
        self.count = 0
        self._last: Array | None = None

    def place(self, image: Array) -> int:
        """The index of this image, which is on the disk then."""
        if self._last is None or not (self._last is image or np.array_equal(self._last, image)):
            index, written = self.writer.write(image)
            try:
                written.result()
            except (ValueError, RuntimeError, OSError) as error:
                raise RecordError(
                    f"an image could not be written to {self.writer.path} ({error}): what was saved before is whole; "
                    "make room or choose another disk"
                ) from error
            self.count, self._last = index + 1, image
        return self.count - 1
