"""Outlines of the objects of a label image: polygons with holes, in pixels of the raw frame.

Vertices are corners of pixels: the outline of the pixel (y, x) goes from (y - 0.5, x - 0.5) to (y + 0.5, x + 0.5), so
that a polygon's area is its object's, and neighbours share their border without overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ._measure import check_scale
from ._rings import Rings, rings
from ._runs import Runs

Ring = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outline:
    """The outline of one object: its `parts`, the largest first, each its outer ring and then the rims of its holes.

    A ring (n, 2) has y and x of its vertices in raw pixels, each once; it never crosses or touches itself. Seen with
    the first row on top, outer rings go clockwise and rims of holes the other way. Parts meet in corners at most.
    """

    parts: tuple[tuple[Ring, ...], ...]

    @property
    def outer(self) -> Ring:
        """The outer ring of the largest part."""
        return self.parts[0][0]


def outlines(labels: npt.NDArray[Any], scale: float = 1.0) -> dict[int, Outline]:
    """The outline of each object by its label, rising; `scale`: label pixels per raw pixel.

    Raises PipelineError when `labels` is no label image (y, x) of whole numbers.
    """
    check_scale(scale)
    runs = Runs.of(labels)
    found: dict[int, list[tuple[npt.NDArray[np.int64], float]]] = {}
    for number, corners, area in _simple(rings(runs, labels)):
        found.setdefault(number, []).append((corners, area))
    names = runs.labels.tolist()
    return {names[number]: Outline(_parts(found[number], scale)) for number in sorted(found)}


def polygons(labels: npt.NDArray[Any], scale: float = 1.0) -> dict[int, Ring]:
    """The outer ring of each object's largest part by its label; see `outlines` for holes and further parts."""
    return {label: outline.outer for label, outline in outlines(labels, scale).items()}


def _simple(all_rings: Rings) -> Iterator[tuple[int, npt.NDArray[np.int64], float]]:
    """Object, corners (n, 2), and area of each ring: those that touch themselves in pieces, none with flat corners."""
    first = all_rings.first
    if not len(first):
        return
    corners = np.stack([all_rings.y, all_rings.x], axis=1)
    ends = np.append(first[1:], len(corners))
    ring = np.repeat(np.arange(len(first)), ends - first)
    places = np.stack([ring, *corners.T])
    order = np.lexsort(places[::-1])
    twice = order[1:][(np.diff(places[:, order]) == 0).all(axis=0)]
    touching = set(ring[twice].tolist())
    before = np.arange(-1, len(corners) - 1)
    before[first] = ends - 1
    turns = all_rings.way != all_rings.way[before]
    areas = all_rings.areas.tolist()
    for at, (number, begin, end) in enumerate(
        zip(all_rings.object.tolist(), first.tolist(), ends.tolist(), strict=True)
    ):
        if at not in touching:
            yield number, corners[begin:end][turns[begin:end]], areas[at]
            continue
        for piece in _pieces(corners[begin:end]):
            yield number, *piece


def _pieces(corners: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], float]]:
    """A ring that comes to some corners twice, as rings that do not."""
    way: list[tuple[int, ...]] = []
    known: dict[tuple[int, ...], int] = {}
    for corner in [*map(tuple, corners.tolist()), tuple(corners[0].tolist())]:
        if corner in known:
            begin = known[corner]
            piece = np.array(way[begin:])
            for gone in way[begin + 1 :]:
                del known[gone]
            del way[begin + 1 :]
            after = np.roll(piece, -1, axis=0)
            turns = ((after - piece) != (piece - np.roll(piece, 1, axis=0))).any(axis=1)
            yield piece[turns], float(np.sum(piece[:, 1] * (after - piece)[:, 0]))
        else:
            known[corner] = len(way)
            way.append(corner)


def _parts(found: list[tuple[npt.NDArray[np.int64], float]], scale: float) -> tuple[tuple[Ring, ...], ...]:
    outer = sorted((each for each in found if each[1] > 0), key=lambda each: -each[1])
    parts = [[corners] for corners, _ in outer]
    for corners, area in found:
        if area < 0:
            at = 0 if len(outer) == 1 else _holder(corners, outer)
            parts[at].append(corners)
    return tuple(tuple(corners / scale - 0.5 for corners in part) for part in parts)


def _holder(rim: npt.NDArray[np.int64], outer: list[tuple[npt.NDArray[np.int64], float]]) -> int:
    """The part that has the hole: the smallest one around the object's pixel at the rim."""
    here, there = rim[0], rim[1]
    way = np.sign(there - here)
    y, x = here + way / 2 + np.array([way[1], -way[0]]) / 2  # to the right of the rim's first edge
    inside = (
        cv2.pointPolygonTest(corners[:, ::-1].astype(np.float32), (float(x), float(y)), False) > 0
        for corners, _ in reversed(outer)
    )
    return len(outer) - 1 - next(at for at, is_inside in enumerate(inside) if is_inside)
