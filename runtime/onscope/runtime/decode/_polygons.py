"""Star-convex polygons: a centre pixel and one distance per ray. Their areas, overlaps and pixels."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
TABLE_RADIUS = 128
"""Pixels up to which it is known of each offset between which rays it lies; farther away it is worked out."""
EXACT_RADIUS = 1024
"""Pixels of larger polygons are those that OpenCV fills, half a pixel too many all around."""
ON_EDGE = 1e-10
"""Pixels squared, by which a pixel on an outline is still inside."""
ROWS = 8192
"""Polygons that are compared at once: OpenCV's images have less than 2^15 rows."""
SPACING = 1.5
"""Pixels between the points at which a contour is looked at."""


class Polygons:
    """`centres` (n, 2) are whole (y, x); `distances` (n, rays) in pixels, along angles from x towards y.

    `x` and `y` (n, rays) are the corners, `boxes` (n, 4) the smallest y, x and the largest y, x of them, `areas` (n,).
    """

    def __init__(self, centres: npt.NDArray[np.intp], distances: Floats) -> None:
        self.rays = distances.shape[1]
        angles = np.linspace(0, 2 * np.pi, self.rays, endpoint=False)
        self.centres, self.distances = centres, distances
        self._angles = np.stack([np.sin(angles), np.cos(angles)])
        self.across = distances * np.cos(angles).astype(np.float32)
        self.down = distances * np.sin(angles).astype(np.float32)
        self.x = self.across + centres[:, 1:].astype(np.float32)
        self.y = self.down + centres[:, :1].astype(np.float32)
        self.boxes = np.stack([self.y.min(1), self.x.min(1), self.y.max(1), self.x.max(1)], axis=1)
        # Of the triangles between neighbouring rays.
        turn = np.float32(np.sin(2 * np.pi / self.rays) / 2)
        self.areas = turn * np.einsum("ij,ij->i", distances, _next(distances))
        self._pixels: dict[int, tuple[tuple[int, int], Mask]] = {}
        self.steps = int(np.clip(np.ceil(2 * np.pi * distances.mean() / self.rays / SPACING), 1, 8))

    def pixels(self, number: int) -> tuple[tuple[int, int], Mask]:
        """The first pixel (y, x) of a polygon's box, and which pixels of the box have their centre inside."""
        if number not in self._pixels:
            self._pixels[number] = self._fill(number)
        return self._pixels[number]

    def _fill(self, number: int) -> tuple[tuple[int, int], Mask]:
        low, high = np.floor(self.boxes[number, :2]).astype(int), np.ceil(self.boxes[number, 2:]).astype(int)
        y0, x0 = int(low[0]), int(low[1])
        cy, cx = (int(value) for value in self.centres[number])
        reach = max(cy - y0, cx - x0, int(high[0]) - cy, int(high[1]) - cx)
        if reach > EXACT_RADIUS:
            corners = np.stack([self.x[number] - x0, self.y[number] - y0], axis=1)
            canvas = np.zeros(tuple(high - low + 1), np.uint8)
            cv2.fillPoly(canvas, [np.round(corners * 16).astype(np.int32)], 1, shift=4)
            return (y0, x0), canvas.astype(bool)
        dy = np.arange(y0 - cy, high[0] - cy + 1, dtype=np.float64)[:, None]
        dx = np.arange(x0 - cx, high[1] - cx + 1, dtype=np.float64)
        sector = _sector(self.rays, y0 - cy, x0 - cx, int(high[0]) - cy, int(high[1]) - cx)
        # As exactly as scikit-image's polygon(), of corners that are as exact as StarDist's.
        centre = self.centres[number].astype(np.float64)
        corners = (self.distances[number].astype(np.float64) * self._angles).astype(np.float32) + centre[:, None]
        y, x = corners.astype(np.float32).astype(np.float64) - centre[:, None]
        along, up = _next(x) - x, _next(y) - y
        # Left of the side that its sector ends at: (side) x (pixel - corner) >= 0.
        inside = along[sector] * dy - up[sector] * dx >= (along * y - up * x)[sector] - ON_EDGE
        return (y0, x0), inside

    def overlaps(self, number: int, others: npt.NDArray[np.intp]) -> Floats:
        """The area that a polygon shares with each of `others`, as a part of the smaller one of the two.

        By Green's theorem: the area of a mask inside of a contour is the integral over the contour of what the mask
        holds to the left, in each row, by dy. Off by what the mask's pixels are from its outline.
        """
        (y0, x0), mask = self.pixels(number)
        left = np.zeros((mask.shape[0] + 2, mask.shape[1] + 1), np.float32)
        np.cumsum(mask, axis=1, out=left[1:-1, 1:])
        shared = np.concatenate(
            [self._inside(left, y0 - 1, x0, others[at : at + ROWS]) for at in range(0, len(others), ROWS)]
        )
        smaller = np.minimum(self.areas[number], self.areas[others])
        return np.asarray(shared / (smaller + np.float32(1e-10)), np.float32)

    def _inside(self, left: Floats, y0: int, x0: int, others: npt.NDArray[np.intp]) -> Floats:
        x, y = self.x[others] - np.float32(x0 - 0.5), self.y[others] - np.float32(y0)
        along, up = _next(x) - x, _next(y) - y
        total = np.zeros(len(others), np.float32)
        for step in range(self.steps):
            part = np.float32((step + 0.5) / self.steps)
            values = cv2.remap(left, x + part * along, y + part * up, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            total += np.einsum("ij,ij->i", values.reshape(x.shape), up)
        return np.asarray(total / np.float32(self.steps))


def _next(values: Floats) -> Floats:
    """Of each ray the value of the next one."""
    return np.concatenate([values[..., 1:], values[..., :1]], axis=-1)


def _sector(rays: int, top: int, left: int, bottom: int, right: int) -> npt.NDArray[np.int32]:
    """Between which rays the pixels of a box lie, whose corners are offsets from the centre, the last ones included."""
    if max(-top, -left, bottom, right) > TABLE_RADIUS:
        return _between(rays, np.arange(top, bottom + 1)[:, None], np.arange(left, right + 1))
    at = TABLE_RADIUS
    return _table(rays)[at + top : at + bottom + 1, at + left : at + right + 1]


@lru_cache(maxsize=4)
def _table(rays: int) -> npt.NDArray[np.int32]:
    offsets = np.arange(-TABLE_RADIUS, TABLE_RADIUS + 1)
    return _between(rays, offsets[:, None], offsets)


def _between(rays: int, y: npt.NDArray[np.intp], x: npt.NDArray[np.intp]) -> npt.NDArray[np.int32]:
    angles = np.arctan2(y, x) % (2 * np.pi)
    return (np.floor(angles / (2 * np.pi) * rays).astype(np.int32) % rays).astype(np.int32)
