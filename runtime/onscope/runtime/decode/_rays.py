"""Rays of star-convex polyhedra: their directions, the triangles between them, and in whose direction a voxel lies.

Weigert, Schmidt, Haase, Sugawara and Myers, Star-convex Polyhedra for 3D Object Detection and Segmentation in
Microscopy, WACV 2020; the golden spiral as StarDist 0.9 has it (Rays_GoldenSpiral).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError

REACH = 32
"""Voxels up to which it is known of each offset exactly in which triangle's direction it lies."""
AT_ONCE = 1 << 22
"""Numbers that are worked out together."""
Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Rays:
    """`directions` (rays, 3): unit vectors along z, y, x, in voxels. `faces` (faces, 3): rays at a triangle's corners.

    `inverse` (faces, 3, 3): of an offset, how much of each of the triangle's three rays it is made of. `volumes`
    (faces,): of the tetrahedra of the centre and a triangle at distance 1. `stretch` (3,): a voxel's size along z, y,
    x. `table`: the face in whose direction an offset lies, by offset + `REACH`, flat; `len(faces)`: none.
    """

    directions: Floats
    faces: Whole
    inverse: Floats
    volumes: Floats
    stretch: Floats
    table: npt.NDArray[np.int16]

    def behind(self, offsets: npt.NDArray[np.int32]) -> npt.NDArray[np.int16]:
        """The face in whose direction whole `offsets` (3, ...) lie; of those farther away than `REACH` roughly."""
        far = int(np.abs(offsets).max(initial=0))
        if far > REACH:
            longest = np.maximum(np.abs(offsets).max(0), REACH)
            offsets = np.rint(offsets * (np.float32(REACH) / longest)).astype(np.int32)
        side = 2 * REACH + 1
        z, y, x = offsets
        return np.asarray(self.table[(z + REACH) * (side * side) + (y + REACH) * side + (x + REACH)])


@lru_cache(maxsize=4)
def golden_spiral(count: int, anisotropy: tuple[float, float, float]) -> Rays:
    """So many rays along a spiral from one pole to the other, about evenly spread where voxels have that size.

    Raises PipelineError where no body is between them. Takes about half a second the first time.
    """
    from scipy.spatial import ConvexHull, QhullError

    turn = (3 - np.sqrt(5)) * np.pi * np.arange(count)
    z = np.linspace(-1, 1, count)
    across = np.sqrt(1 - z**2)
    corners = np.stack([z, across * np.sin(turn), across * np.cos(turn)], axis=1) / np.asarray(anisotropy)
    try:
        faces = np.asarray(ConvexHull(corners).simplices, np.intp)
    except QhullError as error:
        raise PipelineError(
            f"found {count} rays with the anisotropy {anisotropy}, expected some that span a body: correct the package"
        ) from error
    directions = corners / np.linalg.norm(corners, axis=1, keepdims=True)
    matrices = directions[faces].transpose(0, 2, 1)  # columns are rays
    sizes = np.abs(np.linalg.det(matrices))
    faces, matrices, sizes = (each[sizes > 1e-9] for each in (faces, matrices, sizes))
    inverse = np.linalg.inv(matrices).astype(np.float32)
    stretch = np.asarray(anisotropy, np.float32)
    return Rays(directions.astype(np.float32), faces, inverse, (sizes / 6).astype(np.float32), stretch, _table(inverse))


def _table(inverse: Floats) -> npt.NDArray[np.int16]:
    """A direction lies in the triangle of whose rays it is made without taking any of them backwards."""
    side = np.arange(-REACH, REACH + 1, dtype=np.float32)
    offsets = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3)
    count = len(inverse)
    parts = inverse.transpose(1, 0, 2).reshape(3 * count, 3).T
    found = np.empty(len(offsets), np.int16)
    rows = AT_ONCE // (3 * count)
    for at in range(0, len(offsets), rows):
        chunk = offsets[at : at + rows]
        first, second, third = np.split(chunk @ parts, 3, axis=1)
        least = np.minimum(np.minimum(first, second, out=first), third, out=first)
        best = least.argmax(1)
        none = np.take_along_axis(least, best[:, None], 1)[:, 0] < -1e-3 * np.abs(chunk).max(1)
        found[at : at + rows] = np.where(none, count, best)
    return found
