"""Star-convex objects: object probabilities and radial distances become a label image.

Schmidt, Weigert, Broaddus and Myers, Cell Detection with Star-convex Polygons, MICCAI 2018; as BioImage.IO's step
`stardist_postprocessing` describes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError
from .._frame import Pixels
from ._candidates import border, ranked
from ._labels import Planes
from ._polygons import Polygons
from ._settings import Setting

MOST = 1 << 18
"""Candidates that are looked at; those of the highest probability go first."""
LEAST_DISTANCE = 1e-3
"""Pixels: what networks answer below is no polygon."""


SETTINGS = (
    Setting("prob_threshold", "number", "object probability above which a place may be an object's centre", None, 0, 1),
    Setting("nms_threshold", "number", "shared part of the smaller object above which the worse goes", None, 0, 1),
)
"""Of the step's arguments those that may be set otherwise, in three dimensions too."""


class StarConvexDecoder:
    """Answers int32 labels (y, x), 0 for background, 1 for the most probable object, of `grid` times the output's size.

    The output's channels are the object probability and the distances to the boundary along `n_rays` rays, in pixels
    of the label image, from x towards y.
    """

    columns: tuple[str, ...] = ()
    labels = True

    def __init__(self, axes: Sequence[str], arguments: Mapping[str, Any]) -> None:
        grid = tuple(arguments["grid"])
        self.grid = (int(grid[0]), int(grid[1]))
        self.rays = int(arguments["n_rays"])
        if self.rays < 3 or min(self.grid) < 1:
            raise PipelineError(
                f"found stardist_postprocessing with {self.rays} rays and the grid {self.grid}, expected at least 3 "
                "rays and 1 pixel: correct the package"
            )
        self._planes = Planes(axes, 1 + self.rays, "stardist_postprocessing: a probability and a distance per ray")
        self._least = float(arguments["prob_threshold"])
        self._most = float(arguments["nms_threshold"])
        self._border = border(arguments["b"], 2)
        self.within: tuple[int, int] | None = None
        """Height and width that the labels are cut to: a frame's that is no multiple of the grid."""
        self.told: list[str] = []

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        planes = self._planes.of(output)
        places, self.told = ranked(planes[0], self._least, self._border, MOST)
        height, width = planes.shape[1:]
        shape = (height * self.grid[0], width * self.grid[1])
        labels = np.zeros(shape, np.int32)
        if len(places):
            distances = planes[1:].reshape(self.rays, -1)[:, places].T
            distances = np.clip(distances, LEAST_DISTANCE, max(shape)).astype(np.float32)
            centres = np.stack(np.divmod(places, width), axis=1) * np.array(self.grid)
            polygons = Polygons(centres, distances)
            ranks = np.full(height * width, -1, np.intp)
            ranks[places] = np.arange(len(places))
            draw(labels, polygons, suppressed(polygons, ranks.reshape(height, width), self.grid, self._most))
        return labels if self.within is None else labels[: self.within[0], : self.within[1]], "yx"


def suppressed(
    polygons: Polygons, ranks: npt.NDArray[np.intp], grid: tuple[int, int], most: float
) -> npt.NDArray[np.intp]:
    """Greedy non-maximum suppression: the numbers of the polygons that are kept, in their order, the best first.

    A polygon goes when a kept one before it shares more than `most` of the smaller one's area. `ranks` says which
    polygon has its centre at a place of the output (-1: none), `grid` how many pixels apart these are.
    """
    alive = np.ones(len(polygons.areas), bool)
    boxes = polygons.boxes
    reach = np.maximum(boxes[:, 2:] - polygons.centres, polygons.centres - boxes[:, :2]).max(0)
    kept = []
    for number in range(len(alive)):
        if not alive[number]:
            continue
        kept.append(number)
        low = np.maximum(np.floor((boxes[number, :2] - reach) / grid), 0).astype(int)
        high = np.maximum(np.ceil((boxes[number, 2:] + reach) / grid), 0).astype(int) + 1
        others = ranks[low[0] : high[0], low[1] : high[1]].ravel()
        others = others[others > number]
        others = others[alive[others]]
        near = (boxes[others, :2] <= boxes[number, 2:]) & (boxes[others, 2:] >= boxes[number, :2])
        others = others[near.all(1)]
        if len(others):
            alive[others[polygons.overlaps(number, others) > most]] = False
    return np.array(kept, np.intp)


def draw(labels: npt.NDArray[np.int32], polygons: Polygons, kept: npt.NDArray[np.intp]) -> None:
    """Draw polygons into a label image: the first of `kept` is label 1, and above all others."""
    height, width = labels.shape
    for label in range(len(kept), 0, -1):
        (y0, x0), mask = polygons.pixels(int(kept[label - 1]))
        top, left = max(0, -y0), max(0, -x0)
        mask = mask[top : max(top, height - y0), left : max(left, width - x0)]
        y0, x0 = y0 + top, x0 + left
        labels[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]][mask] = label
