"""What every kind of replayed material gives: how its frames look, and its shots in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime import FrameSpec, SourceError

Array = npt.NDArray[Any]
DTYPES = ("uint8", "uint16", "float32")
Greying = Literal["none", "equal", "luma"]


UNNAMED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One stored image; `seconds` is its recorded time from the first one on, None where none was recorded.

    `chapter` rises where a new recorded segment begins; `seq` is the camera's own counter within it: it jumps where
    images are missing. `camera` and `run` are those that were recorded; None: the source's own. `labels` are the names
    of those axes of `index` that have one.
    """

    pixels: Array
    index: Mapping[str, int]
    seq: int
    chapter: int = 0
    seconds: float | None = None
    pixel_size_um: float | None = None
    exposure_ms: float | None = None
    stage_um: tuple[float, float, float] | None = None
    labels: Mapping[str, str] = field(default_factory=lambda: UNNAMED)
    camera: str | None = None
    run: str | None = None


class Reel(Protocol):
    """A file or folder; opened anew by each `shots()`, closed when its iterator is."""

    @property
    def specs(self) -> Sequence[FrameSpec]:
        """What the first shot of each camera looks like."""
        ...

    def shots(self) -> Iterator[Shot]:
        """All shots in order; each has pixels of its own."""
        ...


def axes_of(pixels: Array, where: object) -> str:
    """ "yx" or "yxs" of one image; raises SourceError for dtypes and shapes that frames cannot have."""
    if pixels.dtype.name not in DTYPES:
        raise SourceError(
            f"found {pixels.dtype} pixels in {where}, expected {', '.join(DTYPES)}: convert the file to one of these"
        )
    if pixels.ndim == 2 and pixels.size:
        return "yx"
    if pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.size:
        return "yxs"
    raise SourceError(
        f"found an image of {'x'.join(map(str, pixels.shape))} in {where}, expected (y, x) or (y, x, 3): store grey or "
        "RGB images"
    )


def greying(first: Array, colour: bool | None) -> Greying:
    """How a series' images become frames, judged by its first one and what the user asked for."""
    if first.ndim == 2 or colour:
        return "none"
    if first.shape[2] in (3, 4) and _is_grey(first):
        return "equal"
    return "none" if colour is None else "luma"


def plain(pixels: Array, greying: Greying, where: object) -> Array:
    """A stored image as frame pixels, in native byte order and without alpha.

    "equal" takes one of three samples that must be equal, "luma" weighs R, G and B by ITU-R BT.601.
    """
    if pixels.dtype.byteorder == ">":
        pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = pixels[..., :3]
    if greying != "none" and axes_of(pixels, where) == "yxs":
        if greying == "luma":
            return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY))
        if not _is_grey(pixels):
            raise SourceError(
                f"found colours in {where}, expected grey as in the images before it: replay with colour=True to keep "
                "them, or colour=False for their luminance"
            )
        pixels = pixels[..., 0]
    return np.ascontiguousarray(pixels)


def _is_grey(pixels: Array) -> bool:
    first = pixels[..., 0]
    return bool(np.array_equal(first, pixels[..., 1]) and np.array_equal(first, pixels[..., 2]))
