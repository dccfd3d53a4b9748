"""Star-convex objects in stacks: object probabilities and radial distances become a label volume.

Weigert, Schmidt, Haase, Sugawara and Myers, Star-convex Polyhedra, WACV 2020; as BioImage.IO's step
`stardist_postprocessing` describes it, whose rays are a golden spiral.
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
from ._polyhedra import Polyhedra
from ._rays import golden_spiral

MOST = 1 << 20
"""Candidates that are looked at; those of the highest probability go first."""
LEAST_DISTANCE = 1e-3
"""Voxels: what networks answer below is no polyhedron."""
MOST_RAYS = 1024
LARGEST_RATIO = 1e3
"""Between the sizes of a voxel along two axes."""


class PolyhedraDecoder:
    """Answers int32 labels (z, y, x), 0 for background, 1 for the most probable object, of `grid` times the output's
    size; objects that others hide wholly have no label.

    The output's channels are the object probability and the distances to the boundary along `n_rays` rays of a golden
    spiral, in voxels of the label volume. Where objects overlap, the more probable one is seen, or `overlap_label`.
    """

    columns: tuple[str, ...] = ()
    labels = True

    def __init__(self, axes: Sequence[str], arguments: Mapping[str, Any]) -> None:
        z, y, x = (int(size) for size in arguments["grid"])
        self.grid = (z, y, x)
        self.rays = int(arguments["n_rays"])
        sizes = [float(size) for size in arguments["anisotropy"]]
        even = 0 < max(sizes) <= LARGEST_RATIO * min(sizes)  # False for NaN
        if not 4 <= self.rays <= MOST_RAYS or min(self.grid) < 1 or not even:
            raise PipelineError(
                f"found stardist_postprocessing with {self.rays} rays, the grid {self.grid} and the anisotropy "
                f"{tuple(sizes)}, expected 4 to {MOST_RAYS} rays, at least 1 voxel and sizes above 0: correct the "
                "package"
            )
        self.anisotropy = (sizes[0], sizes[1], sizes[2])
        what = "stardist_postprocessing: a probability and a distance per ray"
        self._planes = Planes(axes, 1 + self.rays, what, ("z", "y", "x"))
        self._least = float(arguments["prob_threshold"])
        self._most = float(arguments["nms_threshold"])
        self._border = border(arguments["b"], 3)
        self._overlap = arguments.get("overlap_label")
        self.within: tuple[int, int] | None = None
        """Height and width that the labels are cut to: a frame's that is no multiple of the grid."""
        self.told: list[str] = []

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        planes = self._planes.of(output)
        rays = golden_spiral(self.rays, self.anisotropy)
        places, self.told = ranked(planes[0], self._least, self._border, MOST)
        size = planes.shape[1:]
        labels = np.zeros([each * apart for each, apart in zip(size, self.grid, strict=True)], np.int32)
        if len(places):
            distances, longest = planes[1:].reshape(self.rays, -1), max(labels.shape)
            centres = np.stack(np.unravel_index(places, size), axis=1) * np.array(self.grid)
            polyhedra = Polyhedra(
                rays, centres, lambda numbers: np.clip(distances[:, places[numbers]].T, LEAST_DISTANCE, longest)
            )
            ranks = np.full(planes[0].size, -1, np.intp)
            ranks[places] = np.arange(len(places))
            kept = suppressed(polyhedra, ranks.reshape(size), self.grid, self._most)
            labels = drawn(labels, polyhedra, kept, self._overlap)
        return labels if self.within is None else labels[:, : self.within[0], : self.within[1]], "zyx"


def suppressed(
    polyhedra: Polyhedra, ranks: npt.NDArray[np.intp], grid: tuple[int, int, int], most: float
) -> npt.NDArray[np.intp]:
    """Greedy non-maximum suppression: the numbers of the polyhedra that are kept, in their order, the best first.

    A polyhedron goes when a kept one before it shares more than `most` of the smaller one's volume. `ranks` says which
    polyhedron has its centre at a place of the output (-1: none), `grid` how many voxels apart these are.
    """
    alive = np.ones(len(polyhedra.centres), bool)
    stretch, outer = polyhedra.rays.stretch, polyhedra.outer
    widest = outer.max()
    kept = []
    for number in range(len(alive)):
        if not alive[number]:
            continue
        kept.append(number)
        reach = (outer[number] + widest) / stretch / grid
        middle = polyhedra.centres[number] / grid
        low = np.maximum(np.floor(middle - reach), 0).astype(int)
        high = np.maximum(np.ceil(middle + reach), 0).astype(int) + 1
        others = ranks[tuple(slice(*ends) for ends in zip(low, high, strict=True))].ravel()
        others = others[others > number]
        others = others[alive[others]]
        away = (polyhedra.centres[others] - polyhedra.centres[number]) * stretch
        others = others[(away**2).sum(1) < (outer[others] + outer[number]) ** 2]
        if len(others):
            alive[others[polyhedra.suppresses(number, others, most)]] = False
    return np.array(kept, np.intp)


def drawn(
    labels: npt.NDArray[np.int32], polyhedra: Polyhedra, kept: npt.NDArray[np.intp], overlap: int | None
) -> npt.NDArray[np.int32]:
    """The label volume of polyhedra: the first of `kept` is label 1, and above all others.

    Those of which nothing is seen have no number. `overlap` is the label where several are (None: the first one's).
    """
    several = np.zeros(labels.shape, bool) if overlap is not None else None
    for label in range(len(kept), 0, -1):
        number = int(kept[label - 1])
        if several is not None:
            before = labels.copy()
            polyhedra.draw(labels, number, label)
            several |= (labels != before) & (before > 0)
        else:
            polyhedra.draw(labels, number, label)
    seen = np.bincount(labels.ravel(), minlength=len(kept) + 1) > 0
    seen[0] = False
    labels = np.where(seen, np.cumsum(seen), 0).astype(np.int32)[labels]
    if several is not None and overlap is not None:
        labels[several] = overlap
    return labels
