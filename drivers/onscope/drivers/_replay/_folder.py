"""A folder of single images, in natural order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import tifffile

from onscope.runtime import FrameSpec, SourceError

from ._reel import Array, Shot, axes_of, greying, plain
from ._tiff import TIFF_ERRORS

TIFF_SUFFIXES = (".tif", ".tiff")
SUFFIXES = (".png", *TIFF_SUFFIXES)


class FolderReel:
    """PNG and single-page TIFF images of one shape; `frame2` comes before `frame10`."""

    def __init__(self, paths: list[Path], camera: str, colour: bool | None, pixel_size_um: float | None) -> None:
        self._paths = paths
        first = _read(paths[0])
        self._greying = greying(first, colour)
        pixels = plain(first, self._greying, paths[0])
        axes = axes_of(pixels, paths[0])
        self._spec = FrameSpec(pixels.shape, pixels.dtype.name, axes, camera, pixel_size_um, 8 * pixels.dtype.itemsize)

    @property
    def specs(self) -> list[FrameSpec]:
        return [self._spec]

    def shots(self) -> Iterator[Shot]:
        """The images as time points 0, 1, ..."""
        for number, path in enumerate(self._paths):
            pixels = plain(_read(path), self._greying, path)
            if pixels.shape != self._spec.shape or pixels.dtype != self._spec.dtype:
                raise SourceError(
                    f"found {'x'.join(map(str, pixels.shape))} {pixels.dtype} in {path}, expected "
                    f"{'x'.join(map(str, self._spec.shape))} {self._spec.dtype} as in {self._paths[0].name}: move what "
                    "differs to a folder of its own"
                )
            yield Shot(pixels, MappingProxyType({"t": number}), number, pixel_size_um=self._spec.pixel_size_um)


def images_in(folder: Path) -> list[Path]:
    """The folder's images in natural order; raises SourceError when there are none."""
    paths = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    if not paths:
        raise SourceError(
            f"found no image in {folder}, expected {', '.join(SUFFIXES)} files or a recording: give another folder"
        )
    return sorted(paths, key=natural)


def natural(path: Path) -> list[tuple[int, int, str]]:
    """A sort key under which numbers in a name count as numbers."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _read(path: Path) -> Array:
    """One stored image: (y, x) or (y, x, 3 or 4) in R, G, B(, A) order."""
    try:
        if path.suffix.lower() in TIFF_SUFFIXES:
            pixels: Array = tifffile.imread(path)
        else:
            # From memory, because OpenCV opens no paths beyond ASCII on Windows.
            decoded = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
            if decoded is None:
                raise ValueError("not an image")
            pixels = decoded if decoded.ndim == 2 else decoded[..., [2, 1, 0, 3][: decoded.shape[2]]]
    except (*TIFF_ERRORS, cv2.error) as error:
        raise SourceError(
            f"found that {path} cannot be read ({' '.join(str(error).split())}), expected a whole image: remove or "
            "restore it"
        ) from error
    return pixels
