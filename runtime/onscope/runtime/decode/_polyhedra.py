"""Star-convex polyhedra: a centre voxel and one distance per ray. Their volumes, overlaps and voxels.

The distances (n, rays) of the triangle's corners make a plane w . offset = 1 of each triangle; a voxel is inside when
it is on the centre's side of the plane in whose triangle's direction it lies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ._rays import Rays

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
AT_ONCE = 1 << 20
"""Voxels that are looked at together."""
MANY = 256
"""Polyhedra that are looked at together."""
MOST_VOXELS = 1 << 15
"""Of a larger polyhedron every second, third, ... voxel along each axis is compared with others."""
EPS = np.float32(1e-5)


class Shapes(NamedTuple):
    """Some polyhedra: `planes` (n, faces + 1, 3), the last of which nothing is behind; volumes, and the radii of the
    largest ball inside and the smallest one around, both about the centre and in units of `Rays.stretch`."""

    planes: Floats
    volumes: Floats
    inner: Floats
    outer: Floats


class Polyhedra:
    """`centres` (n, 3), one at least, are whole (z, y, x); `distances(numbers)` gives (m, rays) in voxels, above 0."""

    def __init__(self, rays: Rays, centres: Places, distances: Callable[[Places], Floats]) -> None:
        self.rays, self.centres, self._distances = rays, centres.astype(np.int32), distances
        self._long = np.linalg.norm(rays.directions * rays.stretch, axis=1)
        parts = [np.arange(at, min(at + 16 * MANY, len(centres))) for at in range(0, len(centres), 16 * MANY)]
        self.outer: Floats = np.concatenate([self._outer(distances(part)) for part in parts])
        """Radii of the smallest balls around, in units of `Rays.stretch`."""

    def _outer(self, distances: Floats) -> Floats:
        return np.asarray((distances * self._long).max(1), np.float32)

    def shapes(self, numbers: Places) -> Shapes:
        """What is known of some polyhedra."""
        rays, distances = self.rays, self._distances(numbers)
        corners = distances[:, rays.faces]
        planes = np.einsum("mfk,fkc->mfc", 1 / corners, rays.inverse)
        none = np.full((len(numbers), 1, 3), np.nan, np.float32)
        inner = 1 / np.linalg.norm(planes / rays.stretch, axis=2).max(1)
        volumes = (rays.volumes * corners.prod(2)).sum(1)
        return Shapes(np.concatenate([planes, none], axis=1), volumes, inner, self._outer(distances))

    def box(self, number: int) -> tuple[Places, Places]:
        """The first voxel and the one behind the last, along z, y, x."""
        corners = self._distances(np.array([number]))[0, :, None] * self.rays.directions
        low = self.centres[number] + np.floor(corners.min(0)).astype(np.intp)
        return low, self.centres[number] + np.ceil(corners.max(0)).astype(np.intp) + 1

    def voxels(self, number: int, planes: Floats) -> tuple[npt.NDArray[np.int32], int]:
        """Voxels (3, n) whose middle is inside, and for how many each of them stands."""
        low, high = self.box(number)
        step = 1
        while np.prod(np.ceil((high - low) / step)) > 2 * MOST_VOXELS:
            step += 1
        first = self.centres[number] - (self.centres[number] - low) // step * step
        grid = [np.arange(start, end, step, dtype=np.int32) for start, end in zip(first, high, strict=True)]
        whole = np.stack([each.ravel() for each in np.meshgrid(*grid, indexing="ij")])
        return whole[:, self._inside(number, planes, whole)], step**3

    def draw(self, labels: npt.NDArray[np.int32], number: int, value: int) -> None:
        """Give the voxels inside the value."""
        low, high = self.box(number)
        low, high = np.maximum(low, 0), np.minimum(high, labels.shape)
        if np.any(low >= high):
            return
        planes = self.shapes(np.array([number])).planes[0]
        rows = max(1, AT_ONCE // int(np.prod(high[1:] - low[1:])))
        for top in range(int(low[0]), int(high[0]), rows):
            ends = (min(top + rows, int(high[0])), *high[1:])
            ranges = [np.arange(start, end, dtype=np.int32) for start, end in zip((top, *low[1:]), ends, strict=True)]
            grid = np.stack(np.meshgrid(*ranges, indexing="ij"))
            part = labels[top : ends[0], low[1] : high[1], low[2] : high[2]]
            part[self._inside(number, planes, grid)] = value

    def _inside(self, number: int, planes: Floats, at: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        offsets = at - self.centres[number].reshape(3, *(1,) * (at.ndim - 1))
        return _within(planes, self.rays.behind(offsets), offsets)

    def suppresses(self, number: int, others: Places, most: float) -> npt.NDArray[np.bool_]:
        """Which of `others` share more than `most` of the smaller one's volume with a polyhedron, counted in voxels."""
        own = self.shapes(np.array([number]))
        voxels, stands_for = self.voxels(number, own.planes[0])
        parts = [others[at : at + MANY] for at in range(0, len(others), MANY)]
        return np.concatenate([self._suppresses(number, own, voxels, stands_for, part, most) for part in parts])

    def _suppresses(
        self, number: int, own: Shapes, voxels: npt.NDArray[np.int32], stands_for: int, others: Places, most: float
    ) -> npt.NDArray[np.bool_]:
        theirs = self.shapes(others)
        # Balls inside and around of both say of most pairs what counting would.
        enough = most * np.minimum(own.volumes, theirs.volumes)
        away = (self.centres[others] - self.centres[number]) * self.rays.stretch
        apart = np.linalg.norm(away, axis=1)
        unit = float(self.rays.stretch.prod())
        gone = shared_by_balls(own.inner, theirs.inner, apart) / unit > enough
        open_ = np.flatnonzero(~gone & (shared_by_balls(own.outer, theirs.outer, apart) / unit > enough))
        rows = max(1, AT_ONCE // max(1, voxels.shape[1]))
        for at in range(0, len(open_), rows):
            part = open_[at : at + rows]
            offsets = voxels[:, None] - self.centres[others[part]].T[:, :, None]
            face = self.rays.behind(offsets).astype(np.intp)
            inside = _within(theirs.planes[part], face, offsets)
            gone[part] = inside.sum(1) * stands_for > enough[part]
        return np.asarray(gone)


def shared_by_balls(first: Floats, second: Floats, apart: Floats) -> Floats:
    """The volume that balls of these radii share whose middles are `apart` (the lens of two spheres)."""
    first, second = np.broadcast_arrays(first.astype(np.float64), second)
    small = np.minimum(first, second)
    apart = np.maximum(apart, 1e-9)
    height = first + second - apart
    lens = height**2 * (apart**2 + 2 * apart * (first + second) - 3 * (first - second) ** 2) * (np.pi / 12 / apart)
    return np.asarray(
        np.where(height <= 0, 0, np.where(apart <= np.abs(first - second), np.pi * small**3 * 4 / 3, lens))
    )


def _within(planes: Floats, face: npt.NDArray[np.integer], offsets: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """On the centre's side of the plane of its face; `planes` (faces + 1, 3), or (n, ...) with offsets (3, n, ...)."""
    if planes.ndim == 3:
        face = face + (np.arange(len(planes)) * planes.shape[1]).reshape(-1, *(1,) * (face.ndim - 1))
        planes = planes.reshape(-1, 3)
    sums = planes[:, 0][face] * offsets[0]
    sums += planes[:, 1][face] * offsets[1]
    sums += planes[:, 2][face] * offsets[2]
    return np.asarray(sums <= 1 + EPS)
