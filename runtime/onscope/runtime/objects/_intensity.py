"""Intensities of objects: mean, extremes and spread over the pixels of each, from a raw frame or a stage's image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from ._runs import Runs

STATISTICS = ("mean", "min", "max", "std")
DRAWN = ("uint8", "uint16", "int16", "float32", "float64")
"""Types of pixels that OpenCV resizes."""


def intensities(runs: Runs, inside: npt.NDArray[np.bool_], image: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """`STATISTICS` by name, a row per object; `inside` (y, x) is True at all objects' pixels, as runs tell them.

    A pixel that is not a number makes all of its object's values so, and nobody else's. `std` is that of the pixels
    (divided by their number), as NumPy's.
    """
    values = image[inside]
    first = np.cumsum(runs.lengths) - runs.lengths
    pixels = runs.reduced(runs.lengths)
    if not len(first):
        return {name: np.zeros(0) for name in STATISTICS}
    with np.errstate(invalid="ignore", over="ignore"):  # pixels that are not finite, or nearly so
        mean = runs.reduced(np.add.reduceat(values, first, dtype=np.float64)) / pixels
        # About the mean, not from the sum of squares: that one loses all digits on a bright ground.
        apart = values - np.repeat(mean[runs.objects], runs.lengths)
        squares = runs.reduced(np.add.reduceat(np.square(apart, out=apart), first))
        lowest = runs.reduced(np.minimum.reduceat(values, first), np.minimum.reduceat)
        highest = runs.reduced(np.maximum.reduceat(values, first), np.maximum.reduceat)
    return {"mean": mean, "min": lowest, "max": highest, "std": np.sqrt(squares / pixels)}


def fitted(image: npt.NDArray[Any], shape: tuple[int, int], name: str) -> npt.NDArray[Any]:
    """The image (y, x) in the labels' pixels: as it is, its pixels repeated, or the mean of those in each label pixel.

    Raises PipelineError when it is not one image of the same field, of real numbers.
    """
    if image.ndim != 2 or image.dtype.kind not in "biuf":
        raise PipelineError(
            f"found an image of {image.dtype} with the shape {image.shape} as intensity {name!r}, expected numbers "
            "(y, x): choose a stage that answers with one image, or give its channels one by one"
        )
    if image.shape == shape:
        return image
    height, width = shape
    same = 0 in image.shape or image.shape[0] == height or image.shape[1] == width  # in one direction, not in both
    if same or abs(image.shape[0] - image.shape[1] / width * height) >= 1:
        raise PipelineError(
            f"found an intensity {name!r} of {image.shape[0]}x{image.shape[1]} pixels for labels of {height}x{width}, "
            "expected an image of the same field: choose one of the same frame"
        )
    smaller = image.shape[0] > height
    if image.dtype.name not in DRAWN or (smaller and image.dtype.kind != "f"):  # means of counts are no counts
        image = image.astype(np.float64)
    way = cv2.INTER_AREA if smaller else cv2.INTER_NEAREST_EXACT
    return np.asarray(cv2.resize(image, (width, height), interpolation=way))
