"""Peaks of heat maps, one class per channel: spots, centres of objects, key points.

The graph looks for candidates (`graph/_decide.py`); what is left to do here is for a few thousand rows at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .._errors import PipelineError, ProviderError
from .._frame import Pixels
from ._activation import activated, before_activation
from ._settings import Setting, taken

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
CANDIDATE = ("y", "x", "class", "score", "above", "below", "left", "right")
"""Columns of the graph's table: place in pixels of the map, channel, value, and the values of the four neighbours."""
SETTINGS = (
    Setting("threshold", "number", "lowest score of a peak", 0.5),
    Setting(
        "min_distance", "whole", "pixels of the map along y and x within which a peak is the only one of its class", 1,
        least=1, most=64, compiled=True,
    ),
    Setting("most", "whole", "candidates that are looked at, the best of all classes", 2048, 1, 65536, compiled=True),
    Setting("per_class", "whole", "peaks of each class, the best ones; of key points 1 (default: all)", None, 1, 65536),
    Setting("across_classes", "flag", "min_distance holds between peaks of different classes too", False),
    Setting("activation", "word", "what makes scores of the map's numbers", "none", choices=("none", "sigmoid")),
    Setting("scale", "number", "pixels of the map per pixel of the frame (default: what the package says)", above=0),
)  # fmt: skip


class PeaksDecoder:
    """Answers a table `y x class score`, float32, by falling score; y and x in pixels of what the stage reads.

    A peak is a pixel that no other of its channel within `min_distance` along y and x exceeds, and that exceeds one of
    them: a map of one value has none. Of equal ones that near the first counts, row by row. Places are refined by the
    parabola through a pixel and its neighbours along y, and along x, by half a pixel at most. A parabola and no
    centroid: networks are trained on Gaussians of known width, whose top three pixels it places within a few
    hundredths of a pixel, while a centroid takes in the neighbours' flanks and the background; and of two equal pixels
    it gives the middle. At the map's border places stay whole. Scores are those of the pixels.

    Takes heat maps (channel, y, x), or the table of `CANDIDATE` that the graph has made of them, in pixels of the map;
    raises ProviderError where that says that the map holds NaN.
    """

    columns: tuple[str, ...] = ("y", "x", "class", "score")
    labels = False

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None:
        self.told: list[str] = []
        self._axes = tuple(axes)
        self._found = self._axes == ("index", "channel")
        if not self._found and not {"y", "x"} <= set(axes):
            raise PipelineError(
                f"found an output with the axes {', '.join(axes)}, expected heat maps with y and x: set `decode` in "
                "the package's config.onscope to what the network answers"
            )
        self._activation = str(taken(SETTINGS, settings, "activation"))
        self._least = before_activation(self._activation, float(taken(SETTINGS, settings, "threshold")))
        self._distance = int(taken(SETTINGS, settings, "min_distance"))
        self._most = int(taken(SETTINGS, settings, "most"))
        self._per_class: int | None = taken(SETTINGS, settings, "per_class")
        self._across = bool(taken(SETTINGS, settings, "across_classes"))
        self._scale = float(taken(SETTINGS, settings, "scale") or 1)

    def rows(self, shape: Sequence[int]) -> int:
        """The most rows that an output of this shape makes."""
        return shape[0] if self._found else min(prod(shape), self._most)

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        self.told.clear()
        candidates = output if self._found else candidates_of(self._maps(output), self._distance, self._most)
        if np.isnan(candidates[:, 3]).any():
            raise ProviderError("the heat maps hold NaN: the network's input holds NaN, or it overflows on it")
        good = candidates[candidates[:, 3] >= self._least]
        if len(good) == self._most:
            self.told.append(f"{self._most} candidates for peaks or more: the best {self._most} were looked at")
        good = good[alone(good, self._distance, self._across)]
        if self._per_class is not None:
            good = good[rank_in_class(good[:, 2]) < self._per_class]
        table = np.empty((len(good), 4), np.float32)
        for column, (before, after) in enumerate(((4, 5), (6, 7))):
            place = good[:, column] + shift(good[:, before], good[:, 3], good[:, after])
            table[:, column] = (place + 0.5) / self._scale - 0.5
        table[:, 2] = good[:, 2]
        table[:, 3] = activated(self._activation, good[:, 3])
        return table, "ic"

    def _maps(self, output: Pixels) -> Floats:
        """The output as (channel, y, x)."""
        names = [name for name in ("channel", "y", "x") if name in self._axes]
        order = [self._axes.index(name) for name in names]
        rest = [at for at in range(output.ndim) if at not in order]
        if any(output.shape[at] != 1 for at in rest):
            raise PipelineError("found heat maps of several images, expected one: correct the package")
        maps = output.transpose(*rest, *order).reshape(-1, *(output.shape[at] for at in order[-2:]))
        return np.ascontiguousarray(maps, np.float32)


def candidates_of(maps: Floats, distance: int, most: int) -> Floats:
    """A table of `CANDIDATE` of heat maps (channel, y, x), by falling score, of equal ones the first; at most `most`.

    What `graph/_decide.py` makes inside the graph. Of maps with NaN there is one row, whose score is NaN.
    """
    if np.isnan(maps).any():
        return np.full((1, len(CANDIDATE)), np.nan, np.float32)
    square = np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)
    peak = np.stack([(one >= cv2.dilate(one, square)) & (one > cv2.erode(one, square)) for one in maps])
    places = np.flatnonzero(peak)
    values = maps.reshape(-1)
    places = places[np.argsort(-values[places], kind="stable")[:most]]
    channel, y, x = np.unravel_index(places, maps.shape)
    _, height, width = maps.shape
    around = [
        maps[channel, mirrored(y - 1, height), x],
        maps[channel, mirrored(y + 1, height), x],
        maps[channel, y, mirrored(x - 1, width)],
        maps[channel, y, mirrored(x + 1, width)],
    ]
    return np.stack([y, x, channel, values[places], *around], axis=1).astype(np.float32)


def mirrored(place: Places, size: int) -> Places:
    """Places one pixel beyond the border as those one pixel inside of it, which makes the parabola upright there."""
    place = np.abs(place)
    return np.clip(np.where(place >= size, 2 * size - 2 - place, place), 0, size - 1)


def shift(before: Floats, at: Floats, after: Floats) -> Floats:
    """Where the parabola through three values one pixel apart is highest, from the middle one: -0.5 to 0.5.

    The middle value is not below the others; 0 where all are equal.
    """
    bend = before.astype(np.float64) - 2 * at.astype(np.float64) + after
    flat = bend >= 0
    moved = (before.astype(np.float64) - after) / np.where(flat, 1, 2 * bend)
    return np.where(flat, 0, np.clip(moved, -0.5, 0.5)).astype(np.float32)


def alone(candidates: Floats, distance: int, across: bool) -> npt.NDArray[np.bool_]:
    """Which candidates, sorted by falling score, have no earlier one within `distance` along y and x that is kept.

    Only those of the same class count, with `across` all. Greedy non-maximum suppression, in rounds: those are kept
    that have no earlier one left beside them, and what is beside them goes.
    """
    from scipy.spatial import cKDTree

    keep = np.ones(len(candidates), bool)
    if len(candidates) < 2:
        return keep
    pairs = cKDTree(candidates[:, :2]).query_pairs(distance + 0.25, p=np.inf, output_type="ndarray")
    if not across:
        pairs = pairs[candidates[pairs[:, 0], 2] == candidates[pairs[:, 1], 2]]
    first, second = pairs.min(axis=1), pairs.max(axis=1)
    while len(first):
        waits = np.zeros(len(candidates), bool)
        waits[second] = True
        gone = second[~waits[first]]
        keep[gone] = False
        left = keep[first] & keep[second] & waits[first]
        first, second = first[left], second[left]
    return keep


def rank_in_class(classes: Floats) -> Places:
    """How many of the same class stand before each one."""
    order = np.argsort(classes, kind="stable")
    ordered = classes[order]
    first = np.searchsorted(ordered, ordered, side="left")
    rank = np.empty(len(classes), np.intp)
    rank[order] = np.arange(len(classes)) - first
    return rank
