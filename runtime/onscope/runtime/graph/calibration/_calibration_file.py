"""The YAML of a camera's calibration, with its maps as .npy or .tif files beside it.

schema: 1
offset: 100                  # counts, of all pixels; or a map instead, the mean of frames without light:
# dark: dark.npy
electrons_per_count: 0.46    # photoelectrons per count; not stated: what comes out is counts above the offset
flat: flat.tif               # mean of frames of even light as recorded, in counts
hot_pixels: hot.npy          # True (or 1) where a pixel is hot; or a list of [y, x]
bits: 12                     # effective bit depth
roi: {y: 512, x: 512, height: 1024, width: 1024}   # of the frames on the maps, where these are of the whole sensor
"""

from __future__ import annotations

import zlib
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from ..._errors import PackageError, PipelineError
from ...checked_yaml import read_checked
from ...package import load_npy
from ._camera import Calibration, Mask, response_of

MAX_FILE_BYTES = 1 << 30
"""Largest map file that is read."""
MAX_PIXELS = 1 << 27
"""Most pixels of a map; the largest cameras have some 150 million, scientific ones 4 to 25."""

File = Annotated[str, Field(min_length=1, max_length=4096)]
Place = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


class RoiModel(BaseModel):
    """Where the frames lie on the maps, in pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    y: int = Field(ge=0)
    x: int = Field(ge=0)
    height: int = Field(ge=1)
    width: int = Field(ge=1)


class CalibrationModel(BaseModel):
    """A calibration file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    offset: float | None = Field(None, description="counts without light, of all pixels")
    dark: File | None = Field(None, description="map of counts without light, in place of the offset")
    electrons_per_count: float = Field(1.0, gt=0, description="photoelectrons per count")
    flat: File | None = Field(None, description="map of counts under even light, as recorded")
    hot_pixels: File | Annotated[list[Place], Field(max_length=1 << 20)] | None = Field(
        None, description="map of hot pixels, or a list of [y, x]"
    )
    bits: int | None = Field(None, ge=1, le=32, description="effective bit depth")
    roi: RoiModel | None = Field(None, description="part of the maps that the frames show")


def read_calibration(path: Path) -> Calibration:
    """The calibration of a file; raises PipelineError."""
    path = Path(path)
    model = read_checked(path, CalibrationModel, "calibration").model
    if model.offset is not None and model.dark is not None:
        raise PipelineError(
            f"found an offset and a dark frame in {path}, expected one of them: a dark frame holds both"
        )
    dark = None if model.dark is None else _map(path.parent, model.dark, "dark frame")
    flat = None if model.flat is None else _map(path.parent, model.flat, "flat field")
    size = next((each.shape[:2] for each in (dark, flat) if each is not None), None)
    hot = _hot(path.parent, model.hot_pixels, size)
    offset = model.offset or 0.0
    response = None
    if flat is not None:
        _same_axes(flat, dark)
        response = response_of(flat, offset if dark is None else dark, hot)
    whole = Calibration(offset, model.electrons_per_count, dark, response, hot, model.bits)
    roi = model.roi
    return whole if roi is None else whole.cropped(roi.y, roi.x, roi.height, roi.width)


def files_of(path: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """What the file says, as plain values, and its maps' files by their keys; raises PipelineError."""
    plain = read_checked(path, CalibrationModel, "calibration").model.model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    maps = {key: plain[key] for key in ("dark", "flat", "hot_pixels") if isinstance(plain.get(key), str)}
    return plain, {key: _inside(path.parent, name, f"map {key!r}") for key, name in maps.items()}


def _same_axes(flat: npt.NDArray[Any], dark: npt.NDArray[Any] | None) -> None:
    if dark is not None and dark.shape != flat.shape:
        raise PipelineError(
            f"found a flat field of {flat.shape} and a dark frame of {dark.shape} pixels, expected one size"
        )


def _hot(folder: Path, given: str | list[Place] | None, size: tuple[int, ...] | None) -> Mask | None:
    if given is None or isinstance(given, str):
        return None if given is None else _map(folder, given, "hot-pixel map") != 0
    if size is None:
        raise PipelineError(
            "found hot pixels as a list, but no map whose size they lie on, expected a dark frame or a flat field "
            "beside them, or a map of True and False"
        )
    if outside := next((place for place in given if place[0] >= size[0] or place[1] >= size[1]), None):
        raise PipelineError(f"found the hot pixel {list(outside)}, expected places inside {size[0]} x {size[1]} pixels")
    hot = np.zeros(size, np.bool_)
    hot[tuple(np.array(given, np.int64).reshape(-1, 2).T)] = True
    return hot


def _map(folder: Path, name: str, what: str) -> npt.NDArray[Any]:
    """An array of numbers from a file inside the folder."""
    path = _inside(folder, name, what)
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise PipelineError(f"found a {what} of {size} bytes in {name}, expected at most {MAX_FILE_BYTES}")
        held = load_npy(path) if path.suffix.lower() == ".npy" else _tiff(path, what)
    except PackageError as error:
        raise PipelineError(str(error)) from error
    except OSError as error:
        raise PipelineError(f"cannot read the {what} {name}: {error.strerror}") from error
    if held.dtype.kind not in "buif" or held.size > MAX_PIXELS:
        raise PipelineError(f"found a {what} of {held.size} {held.dtype} in {name}, expected numbers, one per pixel")
    return held


def _inside(folder: Path, name: str, what: str) -> Path:
    if PurePosixPath(name).is_absolute() or any(each in "\\:" or ord(each) < 32 for each in name):
        raise PipelineError(f"found {name!r} as {what}, expected a file beside the calibration: copy it there")
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise PipelineError(f"found {name!r} as {what}, which leads out of the calibration's folder: copy it there")
        if not path.is_file():
            raise PipelineError(f"found no file {name!r} in {folder}, expected the {what} there")
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        raise PipelineError(f"found a path for the {what} that cannot be read: {name!r}") from error
    if path.suffix.lower() not in (".npy", ".tif", ".tiff"):
        raise PipelineError(f"found {name!r} as {what}, expected an .npy or .tif file: convert it")
    return path


def _tiff(path: Path, what: str) -> npt.NDArray[Any]:
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            pages = len(file.pages)
            if pages > 1:
                raise PipelineError(f"found {pages} images in {path.name}, expected one {what}: average them first")
            page = file.pages[0]
            if page.size > MAX_PIXELS or page.nbytes > MAX_FILE_BYTES:
                raise PipelineError(f"found a {what} of {page.shape} pixels in {path.name}, expected a camera's frame")
            return np.asarray(page.asarray())
    except (tifffile.TiffFileError, ValueError, RuntimeError, KeyError, IndexError, zlib.error) as error:
        raise PipelineError(f"found {path.name}, which is no TIFF image that can be read: export it again") from error
