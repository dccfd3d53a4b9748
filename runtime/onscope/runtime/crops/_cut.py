"""Crops of a frame around given places, all at once."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels

Border = Literal["background", "constant", "edge", "reflect", "symmetric"]
"""What lies beyond the image's border: "background" is the image's 5th percentile, the others are NumPy's words."""
BORDERS: tuple[Border, ...] = ("background", "constant", "edge", "reflect", "symmetric")
BACKGROUND_PERCENTILE = 5
BACKGROUND_STEP = 4
"""The background is that of every fourth pixel along y and x."""


def cut(
    image: Pixels,
    centres_yx: npt.NDArray[Any],
    side: int,
    labels: npt.NDArray[np.integer[Any]] | None = None,
    ids: npt.NDArray[np.integer[Any]] | None = None,
    *,
    border: Border = "background",
    value: float | Pixels = 0.0,
) -> Pixels:
    """Crops (n, side, side), or (n, side, side, samples), of an image (y, x) or (y, x, samples), in its dtype.

    `centres_yx` float (n, 2) are in pixels of the image, (0, 0) at the middle of its first one. They are rounded to
    whole pixels (halves to the even one) and brought into the image; the centre is pixel side // 2 of the crop. What
    lies beyond the border is told by `border`: "background" suits objects on a dark ground, of which mirrored pixels
    would make pairs and repeated ones bars; "constant" is `value` (of each sample, if there are several). With `labels`
    int (y, x) and the objects' numbers `ids` (n,) there, all pixels that are not the object's own are background too
    (or `value`).

    Nothing is interpolated: a crop is off by half a pixel along y and x at most. Raises PipelineError for places that
    are no numbers, for another `border`, and for labels of another size.
    """
    check_border(border)
    centres = np.asarray(centres_yx, np.float64).reshape(-1, 2)
    size = np.array(image.shape[:2])
    corners, inside = _corners(centres, image.shape, side)
    crops = np.empty((len(corners), side, side, *image.shape[2:]), image.dtype)
    if inside.any():
        windows = np.lib.stride_tricks.sliding_window_view(image, (side, side), axis=(0, 1))
        taken = windows[corners[inside, 0], corners[inside, 1]]
        crops[inside] = taken if image.ndim == 2 else np.moveaxis(taken, 1, -1)
    fill = None
    if not inside.all():
        rows, columns = (_lines(corners[~inside, axis], side) for axis in (0, 1))
        at = tuple(_within(lines, int(length), border) for lines, length in zip((rows, columns), size, strict=True))
        reaching = image[at[0][:, :, np.newaxis], at[1][:, np.newaxis, :]]
        if border in ("background", "constant"):
            fill = _fill(image, border, value)
            beyond = [(lines != within) for lines, within in zip((rows, columns), at, strict=True)]
            reaching[beyond[0][:, :, np.newaxis] | beyond[1][:, np.newaxis, :]] = fill
        crops[~inside] = reaching
    if labels is not None and ids is not None:
        if labels.shape != image.shape[:2]:
            raise PipelineError(
                f"found labels of {labels.shape[0]}x{labels.shape[1]} pixels for an image of {size[0]}x{size[1]}, "
                "expected the same size: scale them first"
            )
        own = cut(labels, centres, side, border="constant") == np.asarray(ids)[:, np.newaxis, np.newaxis]
        crops[~own] = _fill(image, border, value) if fill is None else fill
    return crops


def check_border(border: str) -> None:
    """Raise PipelineError unless it is one of `BORDERS`."""
    if border not in BORDERS:
        raise PipelineError(f"found the border {border!r} of crops, expected one of {', '.join(BORDERS)}")


def reaches_over(centres_yx: npt.NDArray[Any], shape: tuple[int, ...], side: int) -> bool:
    """Whether one of the crops that `cut` takes of an image of `shape` reaches over its border."""
    return not _corners(np.asarray(centres_yx, np.float64), shape, side)[1].all()


def background(image: Pixels) -> Pixels:
    """The 5th percentile of every fourth pixel along y and x, of each sample apart; of counts a whole number."""
    thinned = image[::BACKGROUND_STEP, ::BACKGROUND_STEP]
    found = np.percentile(thinned, BACKGROUND_PERCENTILE, axis=(0, 1))
    return np.asarray(found).astype(image.dtype)


def _corners(
    centres: npt.NDArray[np.float64], shape: tuple[int, ...], side: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """First pixels (n, 2) of the crops, and which of them lie within the image; PipelineError for no numbers."""
    if not np.isfinite(centres).all():
        raise PipelineError("found an object without a place (y or x is no number), expected numbers: drop such rows")
    size = np.array(shape[:2])
    corners = np.clip(np.rint(centres), 0, size - 1).astype(np.int64) - side // 2
    return corners, np.all((corners >= 0) & (corners + side <= size), axis=1)


def _fill(image: Pixels, border: Border, value: float | Pixels) -> Pixels:
    return np.asarray(value).astype(image.dtype) if border == "constant" else background(image)


def _lines(first: npt.NDArray[np.int64], side: int) -> npt.NDArray[np.int64]:
    """Numbers of the rows (or columns) of crops (n, side) that begin at `first`."""
    return first[:, np.newaxis] + np.arange(side)


def _within(lines: npt.NDArray[np.int64], length: int, border: Border) -> npt.NDArray[np.int64]:
    """The rows (or columns) whose pixels stand where `lines` lie beyond 0 to `length` - 1."""
    if border == "symmetric":
        turn = np.mod(lines, 2 * length)
        return np.where(turn < length, turn, 2 * length - 1 - turn)
    if border == "reflect" and length > 1:
        turn = np.mod(lines, 2 * length - 2)
        return np.where(turn < length, turn, 2 * length - 2 - turn)
    return np.clip(lines, 0, length - 1)
