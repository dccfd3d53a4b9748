"""From the specimen's truth to single nuclei: what a person who outlines nuclei would draw one line around."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects

from onscope.specimen import Truth

LEAST_PX = 12
"""Pixels. Less of a nucleus is no instance: slivers at the border of the image, and single blebs."""
_ONE = ("dying", "dead")


def instances(truth: Truth) -> npt.NDArray[np.int32]:
    """Nuclei as numbers 1, 2, ... and 0 for none, int32 (rows, columns).

    The two sets of chromosomes of an anaphase are two nuclei, as soon as they are apart. The fragments of one dying
    cell stay one, with the gaps between them where nothing else is: their convex hull.
    """
    whole = {int(row["id"]) for row, kind in zip(truth.objects, truth.kinds(), strict=True) if kind in _ONE}
    labels = truth.nuclei
    out = np.zeros(labels.shape, np.int32)
    count = 0
    for number, (rows, columns) in _boxes(labels):
        mask = (labels[rows, columns] == number).astype(np.uint8)
        if number in whole:
            free = (labels[rows, columns] == 0) | (mask > 0)
            parts = [_hull(mask).astype(bool) & free]
        else:
            found, pieces = cv2.connectedComponents(mask, connectivity=4, ltype=cv2.CV_32S)
            parts = [pieces == piece for piece in range(1, found)]
        for part in parts:
            if np.count_nonzero(part) >= LEAST_PX:
                count += 1
                out[rows, columns][part] = count
    return out


def laid_over(labels: npt.NDArray[np.int32], above: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Instances of two layers, as 1, 2, ...: those `above` whole, of the others the largest piece that is seen."""
    out = np.where(above > 0, above, 0).astype(np.int32)
    count = int(above.max(initial=0))
    for number, (rows, columns) in _boxes(labels):
        seen = (labels[rows, columns] == number) & (above[rows, columns] == 0)
        found, pieces, told, _ = cv2.connectedComponentsWithStats(seen.astype(np.uint8), connectivity=4)
        if found > 1 and told[1:, cv2.CC_STAT_AREA].max() >= LEAST_PX:
            count += 1
            out[rows, columns][pieces == 1 + told[1:, cv2.CC_STAT_AREA].argmax()] = count
    return out


def _boxes(labels: npt.NDArray[np.int32]) -> list[tuple[int, tuple[slice, slice]]]:
    numbers = np.unique(labels)
    numbers = numbers[numbers > 0]
    small = np.searchsorted(numbers, labels) + 1
    small[labels == 0] = 0
    return [(int(number), box) for number, box in zip(numbers, find_objects(small), strict=True)]


def _hull(mask: npt.NDArray[Any]) -> npt.NDArray[Any]:
    points = cv2.findNonZero(mask)
    return np.asarray(cv2.fillConvexPoly(np.zeros_like(mask), cv2.convexHull(points), 1))
