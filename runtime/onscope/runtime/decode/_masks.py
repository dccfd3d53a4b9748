"""Masks of objects within their boxes become a label image."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
ROW = 1024
ROWS = 1 << 14
"""Rows of masks that are looked at together: OpenCV's images have less than 2^15."""
PIXELS = 1 << 23
"""Pixels of boxes that are looked at together."""


def pasted(
    boxes: npt.NDArray[np.float64], masks: Floats, threshold: float, shape: tuple[int, int]
) -> npt.NDArray[np.int32]:
    """The label image of `masks` (n, height, width) in their `boxes` (n, 4): the first one is label 1, and on top.

    Boxes are y0, x0, y1, x1 in pixels, whole numbers at the pixels' centres; a mask is stretched over its box, its
    values hold at the middles of its cells, and a pixel belongs to the object where it is above `threshold`.
    """
    labels = np.zeros(shape, np.int32)
    # Pixels whose centres are in the box.
    low = np.clip(np.ceil(boxes[:, :2]), 0, shape).astype(np.intp)
    high = np.clip(np.floor(boxes[:, 2:]) + 1, 0, shape).astype(np.intp)
    sizes = np.maximum(high - low, 0)
    ends = np.cumsum(sizes.prod(1))
    at = 0
    parts = []
    while at < len(boxes):
        before = int(ends[at - 1]) if at else 0
        stop = max(at + 1, min(int(np.searchsorted(ends, before + PIXELS, "right")), at + ROWS // masks.shape[1]))
        parts.append((at, stop))
        at = stop
    for start, stop in reversed(parts):  # the best ones last, above the others
        chosen = np.arange(stop - 1, start - 1, -1)
        _paste(labels, chosen, boxes, masks, low, sizes, threshold)
    return labels


def _paste(
    labels: npt.NDArray[np.int32],
    chosen: npt.NDArray[np.intp],
    boxes: npt.NDArray[np.float64],
    masks: Floats,
    low: npt.NDArray[np.intp],
    sizes: npt.NDArray[np.intp],
    threshold: float,
) -> None:
    counts = sizes[chosen].prod(1)
    own = np.repeat(np.arange(len(chosen)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    if not len(own):
        return
    number = chosen[own]
    rows, columns = np.divmod(within, sizes[number, 1])
    y, x = rows + low[number, 0], columns + low[number, 1]
    height, width = masks.shape[1:]
    side = np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-6)
    v = (y - boxes[number, 0]) / side[number, 0] * height - 0.5
    u = (x - boxes[number, 1]) / side[number, 1] * width - 0.5
    # All masks below each other; nobody looks over the edge of its own.
    v = np.clip(v, 0, height - 1) + own * height
    u = np.clip(u, 0, width - 1)
    sheet = masks[chosen].reshape(-1, width)
    values = cv2.remap(sheet, _rows(u), _rows(v), cv2.INTER_LINEAR).ravel()[: len(own)]
    inside = values > threshold
    labels[y[inside], x[inside]] = number[inside] + 1  # of several objects the last one stays


def _rows(values: npt.NDArray[np.float64]) -> Floats:
    """A list of numbers in rows, the last one filled up."""
    rows = -(-len(values) // ROW)
    return np.pad(values.astype(np.float32), (0, rows * ROW - len(values))).reshape(rows, ROW)
