"""Frames of a specimen, and what is true of them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.runtime.feedback.rehearse import TRUE, TrueFrame
from onscope.specimen import CLASSES, Truth, View

Array = npt.NDArray[Any]


def true_frame(truth: Truth, view: View) -> TrueFrame:
    """The truth of a view in pixels of its frame; dark emitters are left out."""
    known = truth.objects[truth.objects["on"]]
    objects = np.zeros(len(known), TRUE)
    for name in ("id", "parent", "dose_j_cm2", "stress"):
        objects[name] = known[name]
    objects["kind"] = np.array(CLASSES)[known["kind"]]
    objects["y"], objects["x"] = view.pixels(known["y_um"], known["x_um"])
    objects["area"] = known["area_um2"] / view.pixel_um**2

    def labels() -> npt.NDArray[np.int32]:
        shown = truth.nuclei if truth.nuclei.any() else truth.labels
        return shown if shown.shape == view.shape else enlarged(shown, view.shape)

    return TrueFrame(truth.time_s, view.pixel_um, objects, labels)


def enlarged(labels: Array, shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """A label image with coarser pixels as one of `shape`."""
    rows, columns = (np.arange(n) * size // n for n, size in zip(shape, labels.shape, strict=True))
    return np.ascontiguousarray(labels[rows[:, None], columns])


def coarser(view: View, pixel_um: float) -> View:
    """The same field in pixels of `pixel_um` at least, whole ones: to see what is where, but no detail."""
    by = max(1, int(pixel_um / view.pixel_um))
    rows, columns = (max(1, round(size / by)) for size in view.shape)
    return View(view.centre_um, (rows, columns), view.pixel_um * by)


def sharpness(counts: Array) -> float:
    """How sharp an image is: the variance of its second differences, after a blur of 1.5 pixels that takes the noise.

    For images of one field with one exposure, in other planes.
    """
    calm = cv2.GaussianBlur(counts.astype(np.float32), (0, 0), 1.5)
    return float(cv2.Laplacian(calm, cv2.CV_32F).var())
