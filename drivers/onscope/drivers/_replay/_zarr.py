"""OME-Zarr images of any writer, read by TensorStore a plane at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorstore as ts

from onscope.runtime import FrameSpec, SourceError

from ._grid import check_pick, check_size, places
from ._ngff import Image, images_of
from ._reel import Array, Shot, axes_of

TENSORSTORE_ERRORS = (ValueError, RuntimeError, OSError, OverflowError)
LARGEST_PLANE = 1 << 32


class ZarrReel:
    """All images of an OME-Zarr, the first one's elements first, the last axis before y and x first to change.

    `pick` takes one image of several by p, and elements by their axes. Elements of which no chunk is stored are
    missing: `seq` jumps over them.
    """

    def __init__(self, root: Path, camera: str, pick: Mapping[str, int], pixel_size_um: float | None) -> None:
        images = images_of(root)
        self._several = len(images) > 1 or "p" in pick
        if self._several:
            check_pick({axis: place for axis, place in pick.items() if axis == "p"}, {"p": len(images)}, root)
        self._images = [(p, each) for p, each in enumerate(images) if pick.get("p", p) == p]
        self._pick = {axis: place for axis, place in pick.items() if axis != "p" or not self._several}
        self._pixel_size_um = pixel_size_um
        first = self._images[0][1]
        array = _open(first.array)
        sizes = _sizes(first, array)
        check_pick(self._pick, sizes, first.folder)
        shape = tuple(int(size) for size in array.shape[-2:])
        if shape[0] * shape[1] * np.dtype(array.dtype.numpy_dtype).itemsize > LARGEST_PLANE:
            raise SourceError(f"found planes of {shape[0]}x{shape[1]} in {first.array}, expected at most 4 GB each")
        axes = axes_of(np.empty((1, 1), array.dtype.numpy_dtype), first.array)
        self._spec = FrameSpec(
            shape,
            array.dtype.name,
            axes,
            camera,
            pixel_size_um or first.pixel_size_um,
            8 * np.dtype(array.dtype.numpy_dtype).itemsize,
        )

    @property
    def specs(self) -> list[FrameSpec]:
        return [self._spec]

    def shots(self) -> Iterator[Shot]:
        """Those that are there."""
        seq = 0
        for p, image in self._images:
            array = _open(image.array)
            looks = tuple(int(size) for size in array.shape[-2:]), array.dtype.name
            if looks != (self._spec.shape, self._spec.dtype):
                raise SourceError(
                    f"found {'x'.join(map(str, looks[0]))} {looks[1]} in {image.array}, expected "
                    f"{'x'.join(map(str, self._spec.shape))} {self._spec.dtype} as in the image before it: pick one, "
                    f"p={p}"
                )
            sizes = _sizes(image, array)
            check_size(list(sizes.values()) or [1], image.array)
            check_pick(self._pick, sizes, image.folder)
            present = _present(image, tuple(sizes.values()))
            for place in places(sizes, self._pick):
                pixels = _plane(array, tuple(place.values()), present, image.array)
                if pixels is not None:
                    yield self._shot(pixels, place, seq, p, image)
                seq += 1

    def _shot(self, pixels: Array, place: dict[str, int], seq: int, p: int, image: Image) -> Shot:
        index, labels = dict(place), {}
        if self._several:
            index["p"] = p
            if image.name:
                labels["p"] = image.name
        c = place.get("c", len(image.channels))
        if c < len(image.channels) and image.channels[c]:
            labels["c"] = image.channels[c]
        seconds = None if image.interval_s is None else place.get("t", 0) * image.interval_s
        size = self._pixel_size_um or image.pixel_size_um
        return Shot(pixels, MappingProxyType(index or {"t": 0}), seq, 0, seconds, size, labels=MappingProxyType(labels))


def _sizes(image: Image, array: Any) -> dict[str, int]:
    if array.ndim != len(image.axes):
        raise SourceError(
            f"found {array.ndim} axes in {image.array} and {len(image.axes)} in the metadata, expected as many: write "
            "it again"
        )
    return dict(zip(image.axes[:-2], (int(size) for size in array.shape[:-2]), strict=True))


def _open(path: Path) -> Any:
    driver = "zarr3" if (path / "zarr.json").is_file() else "zarr"
    try:
        return ts.open({"driver": driver, "kvstore": {"driver": "file", "path": f"{path}/"}}, read=True).result()
    except TENSORSTORE_ERRORS as error:
        raise _unreadable(path, error) from error


def _plane(array: Any, place: tuple[int, ...], present: Array | None, where: Path) -> Array | None:
    """One image; None: it is missing."""
    if present is not None and not present[place]:
        return None
    try:
        plane = array[place]
        if present is None and plane.storage_statistics(query_not_stored=True).result().not_stored:
            return None
        return np.array(plane.read().result(), dtype=plane.dtype.numpy_dtype, order="C")
    except TENSORSTORE_ERRORS as error:
        raise _unreadable(where, error) from error


def _present(image: Image, sizes: tuple[int, ...]) -> Array | None:
    """Which elements are there, where a recording of onscope says so."""
    path = image.folder / "present"
    if not (path / "zarr.json").is_file() or path.is_symlink():
        return None
    array = _open(path)
    if tuple(array.shape) != sizes or array.dtype.name != "bool":
        return None
    return np.asarray(array.read().result())


def _unreadable(path: Path, error: Exception) -> SourceError:
    words = " ".join(str(error).split("[")[0].split())
    return SourceError(f"found that {path} cannot be read ({words}), expected a whole Zarr array: restore it")
