"""One image series as OME-Zarr 0.5, frame after frame: a chunk per frame.

TensorStore is spoken to directly, with the OME metadata written here: the frame number is not known beforehand, RGB
frames and a bounded number of writes in flight are needed, and an acknowledgement when a chunk is on the disk.
Specifications: https://ngff.openmicroscopy.org/0.5/ and https://zarr-specs.readthedocs.io (Zarr 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorstore as ts

from .._errors import RecordError
from ._array import FIRST_LENGTH, TENSORSTORE_ERRORS, array_spec, open_array, resized
from ._files import write_json
from ._ome import Layout, group


class ImageWriter:
    """A growing OME-Zarr image `path` (group) with its full-resolution array in `path/0`.

    `shape` is one frame's, (y, x) or (y, x, samples); RGB is stored as (t, c, y, x), the order that OME-Zarr asks
    for. With a `layout` the elements have its axes, with one chunk per plane. Used by one thread at a time. Raises
    RecordError when the files cannot be made.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, ...],
        dtype: str,
        *,
        layout: Layout | None = None,
        pixel_size_um: float | None = None,
        expected: int | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = path
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.pixel_size_um = pixel_size_um
        self.count = 0
        self._length = expected or FIRST_LENGTH
        self._samples_last = layout is None and len(shape) == 3
        stored = (shape[2], *shape[:2]) if self._samples_last else shape
        rgb = self._samples_last and shape[2] == 3
        layout = layout or Layout("cyx" if self._samples_last else "yx")
        layout.check(stored)
        chunk = (1, *(stored if self._samples_last else (*[1] * (len(stored) - 2), *stored[-2:])))
        name = path.stem.split(".")[0]
        try:
            path.mkdir(parents=True)
            write_json(path / "zarr.json", group(name, layout, self.dtype.name, pixel_size_um, attributes, rgb=rgb))
            spec = array_spec(path / "0", (self._length, *stored), chunk, self.dtype, f"t{layout.axes}")
            self._array = ts.open(spec, create=True).result()
        except TENSORSTORE_ERRORS as error:
            raise RecordError(f"{path} cannot be made ({error}): choose a folder that can be written to") from error

    @property
    def nbytes(self) -> int:
        """Bytes of one frame before compression."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def write(self, pixels: npt.NDArray[Any]) -> tuple[int, Any]:
        """Start writing the next frame; returns its index and a future that is done when the chunk is on the disk.

        `pixels` must not change until then. Raises RecordError when the array cannot grow.
        """
        if pixels.shape != self.shape or pixels.dtype != self.dtype:
            raise RecordError(
                f"found an image of {pixels.shape} {pixels.dtype} for {self.path.name}, expected {self.shape} "
                f"{self.dtype} as in the frames before: open a new segment when a camera's frames change"
            )
        while self.count >= self._length:
            self._resize(2 * self._length)
        index, self.count = self.count, self.count + 1
        stored = np.moveaxis(pixels, -1, 0) if self._samples_last else pixels
        future = self._array[index].write(stored, can_reference_source_data_indefinitely=True).commit
        future.force()  # else it would begin when someone waits for it
        return index, future

    def close(self, count: int) -> None:
        """Cut the array to the `count` frames that are on the disk; call it when no write is in flight."""
        self.count = count
        self._resize(count)

    def _resize(self, length: int) -> None:
        self._array = resized(self._array, (length, *self._array.shape[1:]), self.path)
        self._length = length


def open_images(path: Path) -> Any:
    """TensorStore handle of an image's full-resolution array, for reading; raises RecordError when it is not one."""
    return open_array(path / "0")
