"""Flows and cell probabilities become a label image: pixels follow the flow to the object that they belong to.

Stringer, Wang, Michaelos and Pachitariu, Cellpose: a generalist algorithm for cellular segmentation, Nature Methods
2021; as BioImage.IO's step `cellpose_flow_dynamics` describes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels
from ._flow_error import flow_errors
from ._labels import Planes
from ._regions import Regions, filled
from ._settings import Setting

SCALE = 5.0
"""Networks are trained on flows of this length; a step of one pixel is a fifth of what they answer."""
STEPS = 200
CHECKED = 20
"""Steps after which what no longer moves is left where it is; an even number, for some go to and fro."""
STILL = 0.001
"""Pixels that this is told by."""
ROW = 1024
"""OpenCV's images have less than 2^15 columns: points are laid out in rows."""
PEAK = 5
"""Side of the square in which a seed holds the most end points."""
SEED = 10
"""End points that a seed holds more than, and (`SPREAD`) a pixel beside it that goes with it."""
SPREAD = 2
GROWN = 5
"""Pixels that seeds grow in each direction."""
CHECKED_SIDE = 400
"""Pixels along y or x of the largest objects whose flow is checked, which takes time with the third power of it."""
LARGEST = 0.4
"""Part of the image that no object covers."""
SETTINGS = (
    Setting("cellprob_threshold", "number", "logit of the cell probability above which a pixel is a cell's"),
    Setting("flow_threshold", "number", "largest mean squared difference of flows (0: not looked at)", None, 0),
    Setting("min_size", "whole", "pixels of the smallest object", 15, 0),
)
"""Of the step's arguments those that may be set otherwise."""
Places = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]


class FlowsDecoder:
    """Answers int32 labels (y, x), 0 for background, numbered by their first pixels, row by row.

    The output's channels are flow along y, flow along x and the logit of the cell probability. Objects whose flow is
    not what their shape would give (mean squared difference above `flow_threshold`; 0: not looked at) are left out,
    then those of less than `min_size` pixels; holes are filled. Raises PipelineError for three dimensions.
    """

    columns: tuple[str, ...] = ()
    labels = True

    def __init__(self, axes: Sequence[str], arguments: Mapping[str, Any]) -> None:
        if arguments["do_3D"]:
            raise PipelineError(
                "found cellpose_flow_dynamics of three dimensions, expected two: volumes are not decoded live, so "
                "record the network's images and run Cellpose on them afterwards"
            )
        self._planes = Planes(axes, 3, "cellpose_flow_dynamics: flow along y, along x, and the probability")
        self._least = float(arguments["cellprob_threshold"])
        self._error = float(arguments["flow_threshold"])
        self._smallest = int(arguments.get("min_size", 15))
        self.told: list[str] = []

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        self.told.clear()
        planes = self._planes.of(output)
        cells = planes[2] > self._least
        # A step is no longer than the image: infinity times nothing would be no number.
        flows = np.clip(planes[:2] / np.float32(SCALE), -max(cells.shape), max(cells.shape)) * cells
        labels = np.zeros(cells.shape, np.int32)
        places = np.flatnonzero(cells)
        if len(places):
            ends = followed(flows, places)
            labels.ravel()[places] = gathered(ends, cells.shape)
            regions = Regions.of(labels)
            good = regions.sizes <= LARGEST * labels.size
            if self._error > 0:
                regions = regions.only(good)
                small = np.max(regions.boxes[:, 2:] - regions.boxes[:, :2], axis=1, initial=0) < CHECKED_SIDE
                good = np.ones(len(small), bool)
                good[small] = flow_errors(regions.only(small), flows) <= self._error
                if not small.all():
                    self.told = [
                        f"objects of more than {CHECKED_SIDE} pixels: whether their flow fits was not looked at"
                    ]
            labels = filled(regions.only(good), cells.shape, self._smallest)
        return labels, "yx"


def followed(flows: Floats, places: Places) -> Floats:
    """Where the pixels `places` (flat) end that follow `flows` (2, y, x; pixels per step): (2, n) y and x.

    Euler's steps with the flow interpolated between pixels; nobody leaves the image.
    """
    height, width = flows.shape[1:]
    # Each by itself: of images of two channels OpenCV 5 interpolates in 32nds of a pixel, and takes longer.
    down, along = np.ascontiguousarray(flows[0]), np.ascontiguousarray(flows[1])
    y, x = (each.astype(np.float32) for each in np.divmod(places, width))
    ends = np.stack([y, x])
    moving = np.arange(len(places))
    for _ in range(STEPS // CHECKED):
        y, x = (_padded(each) for each in ends[:, moving])
        before = y, x
        for _ in range(CHECKED):
            v, u = (cv2.remap(each, x, y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE) for each in (down, along))
            y, x = np.clip(y + v, 0, height - 1), np.clip(x + u, 0, width - 1)
        count = len(moving)
        ends[:, moving] = y.ravel()[:count], x.ravel()[:count]
        moved = np.maximum(np.abs(y - before[0]), np.abs(x - before[1])).ravel()[:count]
        moving = moving[moved > STILL]
        if not len(moving):
            break
    return ends


def gathered(ends: Floats, shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """The label (n,) of each pixel that ends at `ends` (2, n): 0 where too few end to be an object.

    Seeds are where the most pixels end of their surroundings; they grow over neighbours where some end, too. Of two
    seeds the one where more end has the pixels that both grow over.
    """
    height, width = shape[0] + 2 * GROWN, shape[1] + 2 * GROWN
    flat = (ends[0].astype(np.intp) + GROWN) * width + ends[1].astype(np.intp) + GROWN
    counts = np.bincount(flat, minlength=height * width).astype(np.float32).reshape(height, width)
    peaks = (counts > SEED) & (counts == cv2.dilate(counts, np.ones((PEAK, PEAK), np.uint8)))
    seeds = np.flatnonzero(peaks)
    if not len(seeds):
        return np.zeros(len(flat), np.int32)
    seeds = seeds[np.argsort(counts.ravel()[seeds], kind="stable")]
    around = np.arange(-GROWN, GROWN + 1)
    window = around[:, None] * width + around
    near = seeds[:, None, None] + window
    open_ = counts.ravel()[near] > SPREAD
    grown = np.zeros((len(seeds), 2 * GROWN + 3, 2 * GROWN + 3), bool)  # with a rim, for the neighbours' sake
    inner = grown[:, 1:-1, 1:-1]
    inner[:, GROWN, GROWN] = True
    for _ in range(GROWN):
        rows = grown[:, :-2] | grown[:, 1:-1] | grown[:, 2:]
        inner[:] = (rows[..., :-2] | rows[..., 1:-1] | rows[..., 2:]) & open_
    owner = np.zeros(height * width, np.int32)
    number = np.broadcast_to(np.arange(1, len(seeds) + 1, dtype=np.int32)[:, None, None], near.shape)
    np.maximum.at(owner, near[inner], number[inner])
    return np.asarray(owner[flat])


def _padded(values: Floats) -> Floats:
    """A list of numbers in rows, the last one filled up."""
    rows = -(-len(values) // ROW)
    return np.pad(values, (0, rows * ROW - len(values)), mode="edge").reshape(rows, ROW)
