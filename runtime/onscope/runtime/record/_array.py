"""One Zarr 3 array on the disk: a chunk per element, written by TensorStore's own threads outside Python's lock.

Specification: https://zarr-specs.readthedocs.io
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorstore as ts

from .._errors import RecordError

TENSORSTORE_ERRORS = (ValueError, RuntimeError, OSError)
"""What TensorStore raises when a disk refuses a write (a full disk is a ValueError there)."""
FIRST_LENGTH = 256
# One copy thread leaves the cores to the inference beside it; four file threads hide the waiting for fsync, which
# TensorStore does before it calls a chunk written.
_CONTEXT = {"data_copy_concurrency": {"limit": 1}, "file_io_concurrency": {"limit": 4}, "file_io_sync": True}


class GrowingArray:
    """An array `path` of elements: all `axes` but those of `element` grow as elements come, t ahead of them.

    `axes` in the order of the array, with t first; `element` the sizes of those that one chunk holds wholly. `expected`
    elements along t, if known. With `there`, an array that was made before goes on. Used by one thread at a time.
    Raises RecordError when it cannot be made.
    """

    def __init__(
        self,
        path: Path,
        axes: str,
        element: Mapping[str, int],
        dtype: np.dtype[Any],
        expected: int | None = None,
        *,
        there: bool = False,
    ) -> None:
        self.path = path
        self._element = [element.get(axis) for axis in axes]
        if there:
            self._array = open_array(path, write=True)
            self._shape = list(self._array.shape)
            return
        self._shape = [element.get(axis, 1) for axis in axes]
        self._shape[0] = expected or FIRST_LENGTH
        chunk = [element.get(axis, 1) for axis in axes]
        try:
            self._array = ts.open(array_spec(path, self._shape, chunk, dtype, axes), create=True).result()
        except TENSORSTORE_ERRORS as error:
            raise RecordError(f"{path} cannot be made ({error}): choose a folder that can be written to") from error

    def write(self, at: Sequence[int], stored: npt.NDArray[Any]) -> Any:
        """Start writing the element `at` these indices of the growing axes; the future is done when it is on the disk.

        `stored` must not change until then. Raises RecordError when the array cannot grow.
        """
        index = self._room(at)
        future = self._array[index].write(stored, can_reference_source_data_indefinitely=True).commit
        future.force()  # else it would begin when someone waits for it
        return future

    def make_room(self, at: Sequence[int]) -> None:
        """Have the array reach as far as this element, which somebody else writes. Raises RecordError."""
        self._room(at)

    def _room(self, at: Sequence[int]) -> tuple[int | slice, ...]:
        left = iter(at)
        index = tuple(slice(None) if size is not None else next(left) for size in self._element)
        wanted = [
            size if isinstance(place, slice) or place < size else place + 1
            for place, size in zip(index, self._shape, strict=True)
        ]
        if wanted != self._shape:
            wanted[0] = max(wanted[0], 2 * self._shape[0] if wanted[0] > self._shape[0] else 0)
            self._resize(wanted)
        return index

    def remove(self, at: Sequence[int]) -> None:
        """Take the element `at` away; raises RecordError when the disk refuses it."""
        left = iter(at)
        chunk = self.path / "c" / "/".join(str(0 if size is not None else next(left)) for size in self._element)
        try:
            chunk.unlink(missing_ok=True)
        except OSError as error:
            raise RecordError(f"{chunk} cannot be removed ({error.strerror}): is it in use?") from error

    def cut(self, sizes: Sequence[int]) -> None:
        """Give the growing axes these sizes; call it when no write is in flight."""
        left = iter(sizes)
        self._resize([next(left) if size is None else size for size in self._element])

    def _resize(self, shape: list[int]) -> None:
        self._array = resized(self._array, shape, self.path)
        self._shape = shape


def open_array(path: Path, *, write: bool = False) -> Any:
    """TensorStore handle of the array `path`; raises RecordError when it is not one."""
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(path)},
        "context": _CONTEXT,
        "store_data_equal_to_fill_value": True,
    }
    try:
        return ts.open(spec, read=True, write=write).result()
    except TENSORSTORE_ERRORS as error:
        raise RecordError(
            f"{path} cannot be read ({error}), expected an array of Zarr: is the folder whole?"
        ) from error


def resized(array: Any, shape: Sequence[int], path: Path) -> Any:
    """The array with another shape; raises RecordError when the disk refuses it."""
    try:
        # Only the metadata: looking for chunks beyond the end would list the whole folder.
        return array.resize(exclusive_max=list(shape), resize_metadata_only=True).result()
    except TENSORSTORE_ERRORS as error:
        raise RecordError(f"{path} cannot change its length ({error}): is its disk full?") from error


def array_spec(
    path: Path, shape: Sequence[int], chunk: Sequence[int], dtype: np.dtype[Any], axes: Sequence[str]
) -> dict[str, Any]:
    """What TensorStore makes an array by: empty elements are NaN where a dtype has it."""
    return {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(path)},
        "context": _CONTEXT,
        "store_data_equal_to_fill_value": True,  # else a black frame had no chunk, as one that was lost
        "metadata": {
            "shape": list(shape),
            "data_type": dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk)}},
            "chunk_key_encoding": {"name": "default"},
            "fill_value": {"b": False, "f": "NaN"}.get(dtype.kind, 0),
            "dimension_names": list(axes),
            # Measured (docs/decisions/0015): writing what is not compressed takes more processor time than LZ4 does,
            # zstd half as much again for a tenth fewer bytes. The checksum tells a chunk that has changed.
            "codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "blosc", "configuration": {
                    "cname": "lz4", "clevel": 1, "shuffle": "bitshuffle", "typesize": dtype.itemsize, "blocksize": 0,
                }},
                {"name": "crc32c"},
            ],
        },
    }  # fmt: skip
