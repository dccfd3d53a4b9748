"""Draws the bodies of cells: for every pixel of a cell its place within the outline, and what a structure has there.

All cells are drawn together in chunks of pixels that fit the processor's cache: a cell alone costs more in calls than
in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .._view import View
from ._height import slant
from ._nucleus import Nuclei
from ._outline import DIRECTIONS
from ._patches import Patch, boxes
from ._textures import TILE_TEXEL_UM, TILE_UM, TILE_VARIANTS, tiles

Array = npt.NDArray[Any]

_CHUNK = 60_000
_TABLE = 512
_WAVE_UM, _BEAT_S = 9.0, 300.0


@dataclass(frozen=True, slots=True, eq=False)
class Bodies:
    """M cells to draw: `rows` of the herd, places, outlines (M, DIRECTIONS), and what their look depends on.

    `dome_um` (M, DIRECTIONS) is how far the high part of a flat cell reaches, `touching` (M, DIRECTIONS) 1 where a
    neighbour is, `flat_mean` the mean of a flat cell's height over its peak's, `height_um` the mean height (volume over
    area), `spread` 0 (ball) to 1 (flat), `sway` 0 (dead) to 1 (alive) how textures wave, `axis` in radians, `time_s`
    the sample's age; `variant` chooses textures.
    """

    rows: Array
    y: Array
    x: Array
    outline: Array
    height_um: Array
    spread: Array
    axis: Array
    nucleus: Nuclei
    dome_um: Array
    touching: Array
    flat_mean: Array
    sway: Array
    time_s: float
    variant: npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """One chunk: flat float32 arrays of P pixels and the cells they belong to.

    `dy`, `dx` from the cell's middle and `far` (their length) in um, `share` = far over the outline's
    distance in the same direction, `depth` the distance to the outline in um (below 0 outside), `cover` how much of
    the pixel lies within.
    """

    cells: Array
    sizes: Array
    dy: Array
    dx: Array
    far: Array
    share: Array
    depth: Array
    cover: Array
    pixel_um: float
    _index: Array
    _dome: Array
    _touching: Array

    def domed(self) -> Array:
        """The distance from the middle over the dome's reach in the same direction, float32."""
        return np.asarray(self.far / self._dome[self._index])

    def touching(self) -> Array:
        """1 where the outline in the same direction is a neighbour's, float32."""
        return np.asarray(self._touching[self._index])

    def each(self, values: Array) -> Array:
        """A value per cell (M,) as a value per pixel, float32."""
        return np.repeat(values[self.cells].astype(np.float32), self.sizes)

    def tile(self, bodies: Bodies, kind: str, seed: int, sway_um: float = 0.0) -> Array:
        """The texture of a kind at each pixel, turned along each cell's axis: float32, mean about 1.

        `sway_um` lets it wave to and fro by so much, within minutes, as what hangs on a living cell's skeleton does.
        """
        levels = tiles(seed)[kind]
        level = min(max(math.floor(math.log2(max(self.pixel_um / TILE_TEXEL_UM, 1.0)) + 0.5), 0), len(levels) - 1)
        atlas = levels[level]
        side = atlas.shape[1]
        per_um = np.float32(1 / TILE_UM)
        cos, sin = self.each(np.cos(bodies.axis) * per_um), self.each(np.sin(bodies.axis) * per_um)
        variant = bodies.variant
        across = cos * self.dx + sin * self.dy + self.each((variant >> np.uint64(8)).astype(np.float64) % 977 / 977)
        down = cos * self.dy - sin * self.dx + self.each((variant >> np.uint64(20)).astype(np.float64) % 991 / 991)
        if sway_um:
            waves = np.float32(2 * math.pi * TILE_UM / _WAVE_UM)
            beat = self.each(2 * math.pi * (bodies.time_s / _BEAT_S + bodies.variant.astype(np.float64) % 101 / 101))
            reach = self.each(bodies.sway * (sway_um / TILE_UM))
            down += np.sin(across * waves + beat) * reach
            across += np.sin(down * waves * np.float32(0.8) - beat) * reach
        across -= np.floor(across)
        down -= np.floor(down)
        # Interpolation stops at the seam of the atlas: half a texel of the tile's border is flat instead of smooth.
        across *= np.float32(side - 1)
        down *= np.float32(side - 1)
        down += self.each((variant % np.uint64(TILE_VARIANTS)).astype(np.float64) * side)
        return _sampled(atlas, across, down)


def _sampled(image: Array, column: Array, row: Array) -> Array:
    width = 1024  # cv2.remap takes images, and none of 32768 pixels or more in a line
    lines = -(-len(column) // width)
    padded = np.zeros((2, lines * width), dtype=np.float32)
    padded[0, : len(column)], padded[1, : len(row)] = column, row
    found = cv2.remap(image, padded[0].reshape(lines, width), padded[1].reshape(lines, width), cv2.INTER_LINEAR)
    return np.asarray(found.ravel()[: len(column)])


def paint(view: View, bodies: Bodies, look: Callable[[Pixels], Array]) -> list[Patch]:
    """Patches of all bodies that touch the view, with what `look` gives per pixel."""
    held = _boxes(view, bodies)
    kept = np.flatnonzero((held[:, 2] > held[:, 0]) & (held[:, 3] > held[:, 1]))
    out = []
    for pixels, numbers in _chunks(view, bodies, held, kept):
        flat = look(pixels)
        start = 0
        for n, size in zip(numbers, pixels.sizes, strict=True):
            top, left, bottom, right = (int(v) for v in held[n])
            shape = (bottom - top, right - left)
            out.append(Patch(int(bodies.rows[n]), top, left, flat[start : start + size].reshape(shape)))
            start += size
    return out


def _boxes(view: View, bodies: Bodies) -> Array:
    angle = np.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
    y, x = bodies.outline * np.sin(angle), bodies.outline * np.cos(angle)
    middle_y, middle_x = (y.max(axis=1) + y.min(axis=1)) / 2, (x.max(axis=1) + x.min(axis=1)) / 2
    half_y, half_x = np.ptp(y, axis=1) / 2 + view.pixel_um, np.ptp(x, axis=1) / 2 + view.pixel_um
    return boxes(view, bodies.y + middle_y, bodies.x + middle_x, half_y, half_x)


def _chunks(view: View, bodies: Bodies, held: Array, kept: Array) -> Iterator[tuple[Pixels, Array]]:
    sizes = (held[kept, 2] - held[kept, 0]) * (held[kept, 3] - held[kept, 1])
    group = (np.cumsum(sizes) - sizes) // _CHUNK
    row, column = view.pixels(bodies.y, bodies.x)
    radius, slanting = _table(bodies.outline), _slant(bodies.outline)
    dome, touching = _table(bodies.dome_um), _table(bodies.touching)
    for number in np.unique(group):
        numbers = kept[group == number]
        counts = sizes[group == number]
        flat_y, flat_x = np.empty((2, int(counts.sum())), dtype=np.float32)
        start = 0
        for n, count in zip(numbers, counts, strict=True):
            top, left, bottom, right = (int(v) for v in held[n])
            y = (np.arange(top, bottom, dtype=np.float32) - np.float32(row[n])) * np.float32(view.pixel_um)
            x = (np.arange(left, right, dtype=np.float32) - np.float32(column[n])) * np.float32(view.pixel_um)
            flat_y[start : start + count].reshape(len(y), len(x))[...] = y[:, None]
            flat_x[start : start + count].reshape(len(y), len(x))[...] = x
            start += int(count)
        far, angle = (each.ravel() for each in cv2.cartToPolar(flat_x, flat_y))
        index = (angle * np.float32(_TABLE / (2 * math.pi))).astype(np.int32)
        index &= _TABLE - 1
        index += np.repeat((numbers * _TABLE).astype(np.int32), counts)
        edge = radius[index]
        depth = (edge - far) * slanting[index]
        cover = np.clip(depth * np.float32(1 / view.pixel_um) + np.float32(0.5), 0, 1)
        share = far / edge
        place = (flat_y, flat_x, far, share, depth, cover)
        yield Pixels(numbers, counts, *place, view.pixel_um, index, dome, touching), numbers


def _table(values: Array) -> Array:
    """Values (M, DIRECTIONS) at the middles of _TABLE directions, one body after the other, float32."""
    place = (np.arange(_TABLE) + 0.5) * (DIRECTIONS / _TABLE)
    low = np.floor(place).astype(int)
    part = place - low
    found = values[:, low % DIRECTIONS] * (1 - part) + values[:, (low + 1) % DIRECTIONS] * part
    return np.asarray(found.astype(np.float32, order="C").ravel())


def _slant(outline: Array) -> Array:
    """The cosine between outlines' normals and the directions, as `_table` lays them out, float32."""
    near = np.round((np.arange(_TABLE) + 0.5) * (DIRECTIONS / _TABLE)).astype(int) % DIRECTIONS
    return np.asarray(slant(outline)[:, near].astype(np.float32, order="C").ravel())
