"""Raw frames as OME-Zarr 0.5: a folder per image, a chunk per frame, written by TensorStore from the slots.

Specification: https://ngff.openmicroscopy.org/0.5/
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import RecordError
from ..._frame import FrameSpec, Pixels
from .._array import GrowingArray, open_array, resized
from .._files import write_json
from .._ome import Layout, group
from .._present import NAME as PRESENT
from .._present import write_present
from ._about import Element, ManyElements, Pages, RawAbout

SUFFIX = ".ome.zarr"
FULL = "0"
"""The array of full resolution."""
LOCKS = "*.__lock"
"""What TensorStore has beside a file while it replaces it."""
BEHIND = 1024
"""Elements along t behind the last frame that are looked through for what a killed recorder left there."""
MOST_HOLES = 20_000
"""Empty elements that are looked at for the same reason: of more, most are frames that the camera lost."""


class ZarrSeries:
    """See `RawSeries`. Elements are written again wherever they stand, so that nothing is to be known of a crash."""

    def __init__(self, about: RawAbout, *, there: bool) -> None:
        spec = about.spec
        self._samples_last = spec.axes == "yxs"
        element = dict(zip(("y", "x", "c"), spec.shape, strict=False))
        # Of frames with positions nobody knows how many there are along t.
        expected = about.length or (about.expected if about.leading == "t" else None)
        self._array = GrowingArray(
            about.path / FULL, _axes(about.leading, spec), element, np.dtype(spec.dtype), expected, there=there
        )

    def write(self, at: Element, pixels: Pixels, note: Mapping[str, Any]) -> tuple[None, Any]:
        """See `RawSeries`."""
        return None, self._array.write(at, np.moveaxis(pixels, -1, 0) if self._samples_last else pixels)

    def close(self) -> None:
        """See `RawSeries`; TensorStore keeps no file open."""


class ZarrImages:
    """See `RawImages`; of images of any dtype, (y, x) or (y, x, samples), also of answers."""

    def __init__(self, path: Path, leading: str, *, samples: bool) -> None:
        self._array = open_array(path / FULL)
        self._samples = samples
        wanted = len(leading) + 2 + samples
        if self._array.ndim != wanted:
            raise RecordError(f"found {self._array.ndim} axes in {path}, expected {wanted}: restore it from a copy")

    def read(self, at: Element, page: int | None = None) -> Pixels:
        """See `RawImages`."""
        # The samples are the axis c, which stands ahead of z.
        index: tuple[Any, ...] = (at[0], slice(None), *at[1:]) if self._samples else tuple(at)
        stored = np.asarray(self._array[index].read().result())
        return np.ascontiguousarray(np.moveaxis(stored, 0, -1)) if self._samples else stored


def make(about: RawAbout) -> ZarrSeries:
    """See `Format`; labels may be there already, of answers that were on the disk before the frames."""
    path, content = about.path, _group(about)
    _clear(path)
    try:
        path.mkdir(exist_ok=True)
        series = ZarrSeries(about, there=False)
        write_json(path / "zarr.json", content)
    except OSError as error:
        raise RecordError(f"{path} cannot be made ({error}): choose a folder that can be written to") from error
    return series


def resume(about: RawAbout, pages: int) -> ZarrSeries:
    """See `Format`."""
    return ZarrSeries(about, there=True)


def finish(about: RawAbout, at: ManyElements, pages: Pages) -> None:
    """See `Format`: cut the array to its frames, and put down which elements are there."""
    path, at = about.path, np.asarray(at, np.int64)
    extent = tuple(int(size) for size in at.max(axis=0) + 1)
    array = open_array(path / FULL, write=True)
    spec = about.spec
    axes = _axes(about.leading, spec)
    sizes = dict(zip(about.leading, extent, strict=True))
    samples = spec.axes == "yxs"
    wanted = tuple(
        sizes[axis] if axis in sizes and not (samples and axis == "c") else size
        for axis, size in zip(axes, array.shape, strict=True)
    )
    present = np.zeros(extent, bool)
    present[tuple(at.T)] = True
    had = {axis: size for axis, size in zip(axes, array.shape, strict=True) if axis in about.leading}
    if tuple(array.shape) != wanted:
        resized(array, wanted, path)
    for element in _empty(present, tuple(had[axis] for axis in about.leading)):
        folder = [str(index) for index in element]
        if samples:
            folder.insert(1, "0")
        shutil.rmtree(path.joinpath(FULL, "c", *(folder if element[1:] else folder[:1])), ignore_errors=True)
    write_present(path, present, about.leading)
    try:
        write_json(path / "zarr.json", _group(about))
    except OSError as error:
        raise RecordError(f"{path / 'zarr.json'} cannot be written ({error}): is its disk full?") from error
    for lock in (*path.glob(LOCKS), *(path / FULL).glob(LOCKS)):
        lock.unlink(missing_ok=True)


def remove(about: RawAbout) -> None:
    """See `Format`; labels stay."""
    _clear(about.path)


def read(about: RawAbout) -> ZarrImages:
    """See `Format`."""
    return ZarrImages(about.path, about.leading, samples=about.spec.axes == "yxs")


def _group(about: RawAbout) -> dict[str, Any]:
    spec, name = about.spec, about.path.name.removesuffix(SUFFIX)
    rgb = spec.axes == "yxs"
    channels = () if rgb else about.channels
    windows = ((0.0, float(2**spec.bit_depth - 1)),) * len(channels)
    layout = Layout(_axes(about.leading, spec)[1:], about.interval_s, about.step_um, channels, windows)
    return group(name, layout, spec.dtype, spec.pixel_size_um, {"role": "raw"}, rgb=rgb)


def _axes(leading: str, spec: FrameSpec) -> str:
    inner = leading[1:].replace("c", "") if spec.axes == "yxs" else leading[1:]
    return f"t{'c' if spec.axes == 'yxs' else ''}{inner}yx"


def _empty(present: npt.NDArray[np.bool_], had: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Elements that no frame is at, and that a killed recorder may have begun."""
    if present.size - np.count_nonzero(present) <= MOST_HOLES:
        yield from (tuple(map(int, element)) for element in np.argwhere(~present))
    for t in range(present.shape[0], min(had[0], present.shape[0] + BEHIND)):
        yield (t,)


def _clear(path: Path) -> None:
    for name in (FULL, PRESENT):
        shutil.rmtree(path / name, ignore_errors=True)
    with contextlib.suppress(OSError):
        (path / "zarr.json").unlink()
    with contextlib.suppress(OSError):  # others' labels are in it
        path.rmdir()
