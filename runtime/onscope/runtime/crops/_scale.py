"""Frames at the pixel size that a network of crops was trained at."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels
from ..graph import Note, Raw, StageRequest

LARGEST_FACTOR = 16.0
TOLERATED = 0.1
"""By how much the pixel size may differ, relative to the trained one, before it is worth a warning."""


def scaled_for(request: StageRequest, raw: Raw, trained_um: float | None) -> tuple[tuple[int, int], list[Note]]:
    """(y, x) of the image that a stage's crops are cut from, and what the user should know of its pixel size.

    That is the frame's own, or with `rescale` that with pixels of `trained_um` (None: not known). Raises PipelineError
    when one of the sizes is not known then, or absurd.
    """
    own, have = (raw.shape[0], raw.shape[1]), raw.pixel_size_um
    if have is None or trained_um is None:
        if request.rescale:
            missing = "the package states no pixel size" if trained_um is None else "that of the frames is not known"
            raise PipelineError(
                f"found rescale for the stage {request.name!r}, but {missing}, expected both: set the pixel size, or "
                "remove rescale"
            )
        return own, []
    ratio, sizes = have / trained_um, f"{have:.4g} um per pixel, trained at {trained_um:.4g}"
    if not request.rescale:
        far = abs(ratio - 1) > TOLERATED
        why = "set rescale to bring frames to what it was trained at"
        return own, [Note("warning", request.name, sizes, why)] if far else []
    if not 1 / LARGEST_FACTOR <= ratio <= LARGEST_FACTOR:
        raise PipelineError(
            f"found frames of {sizes} for the stage {request.name!r}, expected a ratio of at most {LARGEST_FACTOR:g}: "
            "correct the pixel size, or choose another package"
        )
    shape = max(round(own[0] * ratio), 1), max(round(own[1] * ratio), 1)
    what = f"{own[0]} x {own[1]} -> {shape[0]} x {shape[1]}"
    return shape, [Note("rescaled", request.name, what, f"{sizes}, before crops are cut")] if shape != own else []


def at_scale(image: Pixels, shape: tuple[int, int]) -> Pixels:
    """An image (y, x) or (y, x, samples) with (y, x) = `shape`, in its dtype; the corners stay corners.

    Finer pixels are averaged over their area, coarser ones interpolated between.
    """
    if image.shape[:2] == shape:
        return image
    shrinks = shape[0] < image.shape[0]
    scaled = cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return scaled.reshape(*shape, *image.shape[2:])


def labels_at_scale(labels: npt.NDArray[np.int32], shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """A label image (y, x) with (y, x) = `shape`: of the nearest pixels."""
    if labels.shape == shape:
        return labels
    rows, columns = (
        np.minimum((np.arange(new) + 0.5) * (old / new), old - 1).astype(np.int64)
        for new, old in zip(shape, labels.shape, strict=True)
    )
    return np.asarray(labels[rows[:, np.newaxis], columns])


def places_at_scale(
    centres_yx: npt.NDArray[np.float64], shape: tuple[int, ...], scaled: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Places (n, 2) on an image of `shape` as places on the same image with (y, x) = `scaled`."""
    ratio = np.array(scaled) / np.array(shape[:2])
    return np.asarray((centres_yx + 0.5) * ratio - 0.5)
