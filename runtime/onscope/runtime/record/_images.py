"""One image series as OME-Zarr 0.5: a chunk per frame, written by TensorStore's own threads outside Python's lock.

TensorStore is spoken to directly, with the OME metadata written here: the frame number is not known beforehand, RGB
frames and a bounded number of writes in flight are needed, and an acknowledgement when a chunk is on the disk.
Specifications: https://ngff.openmicroscopy.org/0.5/ and https://zarr-specs.readthedocs.io (Zarr 3).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorstore as ts

from .._errors import RecordError
from ._files import write_json
from ._ome import Layout, group

TENSORSTORE_ERRORS = (ValueError, RuntimeError, OSError)
"""What TensorStore raises when a disk refuses a write (a full disk is a ValueError there)."""

FIRST_LENGTH = 256
# One copy thread leaves the cores to the inference beside it; four file threads hide the waiting for fsync, which
# TensorStore does before it calls a chunk written.
_CONTEXT = {"data_copy_concurrency": {"limit": 1}, "file_io_concurrency": {"limit": 4}, "file_io_sync": True}


class ImageWriter:
    """A growing OME-Zarr image `path` (group) with its full-resolution array in `path/0`.

    `shape` is one frame's, (y, x) or (y, x, samples); RGB is stored as (t, c, y, x), the order that OME-Zarr asks
    for. With a `layout` the elements have its axes, with one chunk per plane. With `wrap`, element `wrap` is element 0
    again. `resume_at` goes on with an image that is there, from this element on. Used by one thread at a time. Raises
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
        wrap: int | None = None,
        resume_at: int | None = None,
    ) -> None:
        self.path = path
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.pixel_size_um = pixel_size_um
        self.count = resume_at or 0
        self._wrap = wrap
        self._length = wrap or expected or FIRST_LENGTH
        self._samples_last = layout is None and len(shape) == 3
        stored = (shape[2], *shape[:2]) if self._samples_last else shape
        if resume_at is not None:
            self._array = _open(path, write=True)
            self._length = self._array.shape[0]
            return
        rgb = self._samples_last and shape[2] == 3
        layout = layout or Layout("cyx" if self._samples_last else "yx")
        layout.check(stored)
        chunk = (1, *(stored if self._samples_last else (*[1] * (len(stored) - 2), *stored[-2:])))
        name = path.stem.split(".")[0]
        try:
            path.mkdir(parents=True)
            write_json(path / "zarr.json", group(name, layout, self.dtype.name, pixel_size_um, attributes, rgb=rgb))
            spec = _array_spec(path / "0", (self._length, *stored), chunk, self.dtype, f"t{layout.axes}")
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
        if self._wrap is not None:
            self.count %= self._wrap
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
        self._array = _resized(self._array, length, self.path)
        self._length = length


def open_images(path: Path) -> Any:
    """TensorStore handle of an image's full-resolution array, for reading; raises RecordError when it is not one."""
    return _open(path, write=False)


def cut_images(path: Path, length: int, beyond: int) -> None:
    """Cut an image that nobody writes to `length` elements, and remove up to `beyond` of those behind it.

    Raises RecordError when the disk refuses it.
    """
    array = _open(path, write=True)
    if array.shape[0] != length:
        _resized(array, length, path)
    for index in range(length, min(length + beyond, array.shape[0])):
        shutil.rmtree(path / "0" / "c" / str(index), ignore_errors=True)  # cut off by a crash, and named by no row


def _open(path: Path, *, write: bool) -> Any:
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(path / "0")}, "context": _CONTEXT}
    try:
        return ts.open(spec, read=True, write=write).result()
    except TENSORSTORE_ERRORS as error:
        raise RecordError(
            f"{path} cannot be read ({error}), expected an OME-Zarr image: is the folder whole?"
        ) from error


def _resized(array: Any, length: int, path: Path) -> Any:
    try:
        # Only the metadata: looking for chunks beyond the end would list the whole folder.
        return array.resize(exclusive_max=[length, *array.shape[1:]], resize_metadata_only=True).result()
    except TENSORSTORE_ERRORS as error:
        raise RecordError(f"{path} cannot change its length ({error}): is its disk full?") from error


def _array_spec(
    path: Path, shape: tuple[int, ...], chunk: tuple[int, ...], dtype: np.dtype[Any], axes: str
) -> dict[str, Any]:
    return {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(path)},
        "context": _CONTEXT,
        "metadata": {
            "shape": list(shape),
            "data_type": dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk)}},
            "chunk_key_encoding": {"name": "default"},
            "fill_value": False if dtype.kind == "b" else 0,
            "dimension_names": list(axes),
            # LZ4 on bit planes costs less time than writing the bytes that it saves (measured: 1.1 ms of CPU for a
            # 512x512 uint16 frame against 1.9 ms without, zstd 2.8 ms).
            "codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "blosc", "configuration": {
                    "cname": "lz4", "clevel": 1, "shuffle": "bitshuffle", "typesize": dtype.itemsize, "blocksize": 0,
                }},
            ],
        },
    }  # fmt: skip
