"""Label images against each other: how well objects overlap with their partners."""

from __future__ import annotations

import numpy as np

from .._original import Array


def mean_iou(expected: Array, found: Array) -> tuple[float, int]:
    """Mean intersection over union of objects with their partners, and how many objects the larger image has.

    Pairs are those with the largest sum of IoU; objects without a partner count as 0. 1 where neither has any.
    """
    from scipy.optimize import linear_sum_assignment

    first, second = (np.unique(image, return_inverse=True) for image in (expected, found))
    table = np.zeros((len(first[0]), len(second[0])))
    np.add.at(table, (first[1].ravel(), second[1].ravel()), 1)
    rows, columns = first[0] != 0, second[0] != 0  # 0 is the background
    areas, others = table.sum(axis=1)[rows], table.sum(axis=0)[columns]
    overlap = table[rows][:, columns]
    most = max(len(areas), len(others))
    if most == 0:
        return 1.0, 0
    iou = overlap / np.maximum(areas[:, None] + others[None] - overlap, 1)
    return float(iou[linear_sum_assignment(-iou)].sum()) / most, most
