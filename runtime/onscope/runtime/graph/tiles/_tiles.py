"""How frames are cut into tiles: their size, halo and places, from the receptive field of the network."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..._errors import PipelineError
from .._types import Tiling
from ..field import AxisField, Field

AXES = ("y", "x")


def plan_tiles(
    frame_shape: Sequence[int],
    field: Field,
    tile: int | tuple[int, int],
    halo: int | None = None,
    batch: int = 1,
    align: int | tuple[int, int] = 1,
    snug: bool = True,
) -> Tiling:
    """How frames of `frame_shape` (y, x, ...) are cut into pieces of at most `tile` pixels, halo included.

    Pieces are as alike to the frame as can be: they begin at multiples of the network's period and of `align` (the
    step of the sizes that it takes), and are longer than such a multiple by as much as the frame is, so that padding
    to a valid size does the same to both. `snug`: they are no larger than their number asks for. Without `halo` it is
    the one that covers the field, or, where that does not fit into the tile or the field has no bounds, what fits.
    Raises PipelineError when the tile is too small for the network.
    """
    sides = (tile, tile) if isinstance(tile, int) else tile
    aligns = (align, align) if isinstance(align, int) else align
    why = field.why
    planned = []
    for axis, size, side, step in zip(AXES, frame_shape, sides, aligns, strict=False):
        found = field.axes.get(axis)
        if found is None:
            raise PipelineError(f"found a network whose answer has no {axis}, expected an image: run it without tiles")
        period = math.lcm(found.period, step)
        if size > side and 2 * period > side:
            why = why or f"places along {axis} are treated alike only every {period} pixels"
            period = step
        whole, own, enough = _side(size, side, period, found, halo, snug)
        planned.append((whole, own, period))
        if not enough and not why:
            why = f"the field along {axis} asks for a halo of {found.halo} pixels, and {own} are there"
    (tile_y, halo_y, period_y), (tile_x, halo_x, period_x) = planned
    return Tiling((tile_y, tile_x), (halo_y, halo_x), (period_y, period_x), batch, not why, why, bool(why))


def _side(size: int, tile: int, period: int, field: AxisField, halo: int | None, snug: bool) -> tuple[int, int, bool]:
    """(side, halo, whether it covers the field) along one axis."""
    if size <= tile:
        return size, 0, True
    side = tile - (tile - size) % period
    needed = -(-field.halo // period) * period
    most = (side - period) // 2 // period * period
    if side < 1 or most < 0:
        raise PipelineError(
            f"found tiles of {tile} pixels, expected at least {period + size % period}: the network works "
            f"in steps of {period} pixels"
        )
    if halo is not None:
        own = min(-(-halo // period) * period, most)
    elif field.bounded and needed <= most:
        own = needed
    else:
        own = min(needed, side // 4 // period * period)
    covers = field.bounded and own >= needed
    if not snug:
        return side, own, covers
    count = len(starts(size, side, own, period))
    least = -(-(size + 2 * own * (count - 1)) // count)
    for smaller in range(side - (side - least) // period * period, side, period):
        if smaller - 2 * own >= period and len(starts(size, smaller, own, period)) == count:
            return smaller, own, covers
    return side, own, covers


def starts(size: int, tile: int, halo: int, period: int) -> tuple[int, ...]:
    """Where pieces of `tile` pixels begin, evenly over `size` pixels; the last one ends where the frame ends."""
    if size <= tile:
        return (0,)
    steps, most = -(-(size - tile) // period), (tile - 2 * halo) // period
    count = -(-steps // most)
    return tuple(min(number * steps // count * period, size - tile) for number in range(count + 1))


def starts_of(tiling: Tiling, frame_shape: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The first rows and the first columns of the tiles of a frame (y, x, ...)."""
    rows, columns = (
        starts(*side) for side in zip(frame_shape[:2], tiling.tile, tiling.halo, tiling.period, strict=True)
    )
    return rows, columns


def fits(memory_mb: float, budget_mb: float) -> bool:
    """Whether a graph of this estimated peak (`Compiled.memory_mb`) may run on whole frames."""
    return memory_mb <= budget_mb


def side_that_fits(memory_mb: float, frame_shape: Sequence[int], budget_mb: float) -> int:
    """The side in pixels of the largest square tile that fits, when a whole frame takes `memory_mb`.

    Memory is taken to go with the area. What weights take does not shrink with it, so compile, and look again.
    """
    return max(int(math.sqrt(frame_shape[0] * frame_shape[1] * budget_mb / memory_mb)), 1)
