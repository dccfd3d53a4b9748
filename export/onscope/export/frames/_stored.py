"""Images on a disk as arrays with letters: TIFF, PNG, .npy and OME-Zarr, a part at a time."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onscope.runtime import ExportError, OnscopeError

from .._original import Array, one_line

TIFF, SUFFIXES = (".tif", ".tiff"), (".npy", ".png", ".tif", ".tiff")
WRONG = (
    OSError, ValueError, RuntimeError, KeyError, IndexError, TypeError, AttributeError, MemoryError, zlib.error
)  # fmt: skip
"""What damaged files and odd descriptions end in; a RuntimeError is that of a description without a bottom too."""
MOST_METADATA = 16 << 20
"""Bytes of an OME-Zarr's description."""


@dataclass(frozen=True, eq=False)
class Stored:
    """One file or OME-Zarr. `axes` are letters: t, c, z, y, x, s for the samples of colours, others without meaning.

    `axes` is empty where the file does not say (.npy). `read` gives what is left when some axes are held at a place:
    `read({"t": 3})`.
    """

    path: Path
    axes: str
    shape: tuple[int, ...]
    read: Callable[[Mapping[str, int | slice]], Array]


def open_stored(path: Path) -> Stored:
    """What lies at the path, its pixels not yet read where the format allows it; raises ExportError."""
    with _readable(path):
        if is_ome_zarr(path):
            return _open_zarr(path)
        match path.suffix.lower():
            case ".tif" | ".tiff":
                return _open_tiff(path)
            case ".png":
                return _in_memory(path, _decode_png(path), "yxs")
            case ".npy":
                return _in_memory(path, _load_npy(path), "")
    raise ExportError(f"found {path}, expected one of {', '.join(SUFFIXES)}, an OME-Zarr or a folder: convert the file")


def is_ome_zarr(path: Path) -> bool:
    """Whether the folder is a Zarr group."""
    return (path / "zarr.json").is_file() or (path / ".zgroup").is_file()


@contextmanager
def _readable(path: Path) -> Any:
    import cv2

    try:
        yield
    except ExportError:
        raise
    except OnscopeError as error:
        raise ExportError(str(error)) from error
    except (*WRONG, cv2.error) as error:
        raise ExportError(
            f"found that {path} cannot be read ({one_line(error)}), expected a whole image: remove or restore it"
        ) from error


def _in_memory(path: Path, pixels: Array, axes: str) -> Stored:
    axes = axes[: pixels.ndim]
    return Stored(path, axes, pixels.shape, lambda held: pixels[_index(axes, held)] if axes else pixels)


def _index(axes: str, held: Mapping[str, int | slice]) -> tuple[int | slice, ...]:
    return tuple(held.get(letter, slice(None)) for letter in axes)


def _load_npy(path: Path) -> Array:
    from onscope.runtime.package import load_npy

    return load_npy(path)


def _decode_png(path: Path) -> Array:
    import cv2

    # From memory, because OpenCV opens no paths beyond ASCII on Windows.
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("not an image")
    return np.asarray(pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])


def _open_tiff(path: Path) -> Stored:
    import tifffile

    with _tiff_errors(), tifffile.TiffFile(path) as file:
        if not file.series:
            raise ValueError("there is no image in it")
        series = file.series[0]
        axes, shape = _letters(series.axes), tuple(map(int, series.shape))
        inner = len(series.keyframe.shape)
        leading = shape[: len(shape) - inner]
        paged = len(series.pages) == math.prod(leading) and None not in list(series.pages)

    def read(held: Mapping[str, int | slice]) -> Array:
        index = _index(axes, held)
        with _readable(path), _tiff_errors(), tifffile.TiffFile(path) as file:
            if not paged:  # one description for all planes, which lie in one piece
                mapped = file.series[0].dataoffset is not None  # a part of gigabytes is read without the rest
                whole = tifffile.memmap(path, mode="r") if mapped else file.series[0].asarray()
                return np.array(whole[index])
            numbers = np.arange(math.prod(leading)).reshape(leading)[index[: len(leading)]]
            rest = index[len(leading) :]
            planes = [file.asarray(key=int(number), series=0)[rest] for number in numbers.ravel()]
            return np.stack(planes).reshape(*numbers.shape, *planes[0].shape)

    return Stored(path, axes, shape, read)


@contextmanager
def _tiff_errors() -> Any:
    import tifffile

    try:
        yield
    except tifffile.TiffFileError as error:
        raise ValueError(str(error)) from error


def _letters(axes: str) -> str:
    """tifffile's letters in ours, each once: those without a meaning (Q, I, R ...) get free ones."""
    free, found = iter("tpqrmnuvwjklhgfeda"), ""
    known = {"T": "t", "Z": "z", "C": "c", "Y": "y", "X": "x", "S": "s"}
    taken = {known[letter] for letter in axes if letter in known}
    for letter in axes:
        found += known.get(letter) or next(one for one in free if one not in taken | set(found))
    return found


def _open_zarr(path: Path) -> Stored:
    import tensorstore as ts

    described, group = _multiscales(path)
    names = [axis if isinstance(axis, str) else axis["name"] for axis in described.get("axes", "tczyx")]
    axes = "".join(name[:1].lower() for name in names)
    inside = group / str(described["datasets"][0]["path"])
    if not inside.resolve().is_relative_to(path.resolve()):
        raise ValueError("its pixels lie outside of it")
    driver = "zarr3" if (inside / "zarr.json").is_file() else "zarr"
    store = ts.open({"driver": driver, "kvstore": {"driver": "file", "path": str(inside)}}, read=True).result()
    if len(axes) != len(store.shape) or len(set(axes)) != len(axes):
        raise ValueError(f"it names the axes {', '.join(names)} for an array of {len(store.shape)} axes")

    def read(held: Mapping[str, int | slice]) -> Array:
        with _readable(path):
            return np.asarray(store[_index(axes, held)].read().result())

    return Stored(path, axes, tuple(map(int, store.shape)), read)


def _multiscales(path: Path) -> tuple[Mapping[str, Any], Path]:
    """The first image of a group (OME-Zarr 0.4 or 0.5), or of the first image in it."""
    for group in (path, path / "0"):
        for name in ("zarr.json", ".zattrs"):
            file = group / name
            if not file.is_file():
                continue
            if file.stat().st_size > MOST_METADATA:
                raise ValueError("its description is too large")
            content = json.loads(file.read_text(encoding="utf-8"))
            content = content.get("attributes", {}) if name == "zarr.json" else content
            images = content.get("ome", content).get("multiscales")
            if images:
                return images[0], group
    raise ValueError("no multiscales are described in it, as OME-Zarr has them")
