"""What OME-Zarr says of its images: which there are, their axes, pixel sizes and channels.

Specifications: https://ngff.openmicroscopy.org/0.4/ (Zarr 2) and https://ngff.openmicroscopy.org/0.5/ (Zarr 3).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onscope.runtime import SourceError

LARGEST = 1 << 26
NAMES = {"time": "t", "channel": "c"}
MICROMETRES = {"nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3, "meter": 1e6, "angstrom": 1e-4}
SECONDS = {"nanosecond": 1e-9, "microsecond": 1e-6, "millisecond": 1e-3, "second": 1.0, "minute": 60.0, "hour": 3600.0}
WHAT_BREAKS = (KeyError, TypeError, ValueError, IndexError, AttributeError)


@dataclass(frozen=True, slots=True)
class Image:
    """One image: the folder of its full-resolution array, the axes of that, and what is known of them.

    `interval_s` seconds from one time point to the next; `name` is a well or a series, where there are several.
    """

    folder: Path
    array: Path
    axes: tuple[str, ...]
    pixel_size_um: float | None
    interval_s: float | None
    channels: tuple[str, ...]
    name: str | None = None


def is_zarr(folder: Path) -> bool:
    """Whether the folder is a Zarr group or array."""
    return any((folder / name).is_file() for name in ("zarr.json", ".zgroup", ".zattrs", ".zarray"))


def images_of(root: Path) -> list[Image]:
    """All images of an OME-Zarr image, collection (bioformats2raw) or plate, in its order; raises SourceError."""
    attributes = _attributes(root)
    try:
        if "multiscales" in attributes:
            return [_image(root, root, attributes)]
        if "plate" in attributes:
            return _plate(root, attributes["plate"])
        if "well" in attributes:
            return _well(root, root, attributes["well"], root.name)
        if attributes.get("bioformats2raw.layout") == 3:
            return _collection(root)
    except WHAT_BREAKS as error:
        raise SourceError(
            f"found metadata in {root} that make no OME-Zarr ({error!r}), expected version 0.4 or 0.5: write it again"
        ) from error
    raise SourceError(
        f"found a Zarr at {root} without an image, a plate or a collection, expected OME-Zarr 0.4 or 0.5: give the "
        "folder of an image"
    )


def _plate(root: Path, plate: dict[str, Any]) -> list[Image]:
    found = []
    for well in plate["wells"]:
        folder = _inside(root, root, well["path"])
        found += _well(root, folder, _attributes(folder)["well"], str(well["path"]))
    return found


def _well(root: Path, folder: Path, well: dict[str, Any], name: str) -> list[Image]:
    paths = [str(each["path"]) for each in well["images"]]
    return [_named(root, _inside(root, folder, path), f"{name}/{path}") for path in paths]


def _collection(root: Path) -> list[Image]:
    series = _attributes(root / "OME").get("series") if is_zarr(root / "OME") else None
    if series is None:
        numbers = (path.name for path in root.iterdir() if path.is_dir() and path.name.isdecimal())
        series = sorted(numbers, key=int)
    return [_named(root, _inside(root, root, path), str(path)) for path in series]


def _named(root: Path, folder: Path, name: str) -> Image:
    return _image(root, folder, _attributes(folder), name)


def _image(root: Path, folder: Path, attributes: dict[str, Any], name: str | None = None) -> Image:
    multiscale = attributes["multiscales"][0]
    axes, units = [], []
    for axis in multiscale["axes"]:
        axes.append(NAMES.get(axis.get("type"), str(axis["name"]).lower()))
        units.append(axis.get("unit"))
    if axes[-2:] != ["y", "x"] or len(set(axes)) != len(axes) or len(axes) > 8:
        raise SourceError(f"found the axes {', '.join(axes)} in {folder}, expected them to end in y, x: store it so")
    level = multiscale["datasets"][0]
    scale = [1.0] * len(axes)
    for transformation in [
        *level.get("coordinateTransformations", []),
        *multiscale.get("coordinateTransformations", []),
    ]:
        if transformation["type"] == "scale" and "scale" in transformation:
            scale = [a * float(b) for a, b in zip(scale, transformation["scale"], strict=True)]
    sizes = dict(zip(axes, scale, strict=True))
    unit = dict(zip(axes, units, strict=True))
    channels = [str(each.get("label") or "") for each in attributes.get("omero", {}).get("channels", [])]
    return Image(
        folder,
        _inside(root, folder, level["path"]),
        tuple(axes),
        _known(sizes["x"], MICROMETRES.get(unit["x"])),
        _known(sizes["t"], SECONDS.get(unit["t"])) if "t" in sizes else None,
        tuple(channels),
        name,
    )


def _known(size: float, factor: float | None) -> float | None:
    """A size in a unit that is known; an axis without one says nothing."""
    return None if factor is None or not math.isfinite(size) or size <= 0 else size * factor


def _inside(root: Path, folder: Path, path: object) -> Path:
    """A folder below another one, wherever links lead; raises SourceError."""
    found = folder / str(path)
    if not found.resolve().is_relative_to(root.resolve()):
        raise SourceError(f"found the path {str(path)[:200]!r} in {folder}, expected one within {root}")
    return found


def _attributes(folder: Path) -> dict[str, Any]:
    """The OME metadata of a group of Zarr 3 or 2."""
    three, two = folder / "zarr.json", folder / ".zattrs"
    path = three if three.is_file() else two
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path.stat().st_size} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content["attributes"].get("ome", {}) if path is three else content
        if not isinstance(found, dict):
            raise ValueError(f"{type(found).__name__} instead of named fields")
    except (OSError, RecursionError, *WHAT_BREAKS) as error:
        raise SourceError(
            f"found that {path} cannot be read ({error}), expected the metadata of an OME-Zarr 0.4 or 0.5: is it whole?"
        ) from error
    return found
