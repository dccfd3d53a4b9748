"""Draws bodies of chromatin: sprites from the bank, moved, turned and stretched into the pixels of a view."""

from __future__ import annotations

import math
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from .._view import View
from ._patches import Patch, boxes
from ._textures import REACH, VARIANTS, sprites

Array = npt.NDArray[Any]


def draw(
    view: View, bodies: Array, rows: Array, kind: Literal["amount", "mask", "height", "path"], seed: int
) -> list[Patch]:
    """Patches of bodies (dtype `BODY`); `rows` maps their `row` to a row of the herd.

    `amount`: share of the cell's chromatin per pixel (the pixels of a cell sum to 1 when all are in view); `mask`: 1
    within the body; `height`, `path`: relative thickness, 1 in the middle of a smooth body, times the body's share.
    """
    bank = sprites(seed)
    cos, sin = np.cos(bodies["angle"]), np.sin(bodies["angle"])
    half_y = REACH * np.hypot(bodies["long_um"] * sin, bodies["short_um"] * cos)
    half_x = REACH * np.hypot(bodies["long_um"] * cos, bodies["short_um"] * sin)
    held = boxes(view, bodies["y_um"], bodies["x_um"], half_y, half_x)
    middle_row, middle_column = view.pixels(bodies["y_um"], bodies["x_um"])
    out = []
    for n, body in enumerate(bodies):
        top, left, bottom, right = (int(v) for v in held[n])
        if bottom <= top or right <= left:
            continue
        variant = int(body["variant"])
        sprite = bank[int(body["sprite"])][variant % VARIANTS]
        levels = getattr(sprite, kind)
        level = _level(levels[0].shape, body, view.pixel_um)
        texture = levels[level]
        flip = (1 if variant & 64 else -1, 1 if variant & 128 else -1)
        scale, unit_area = [], 1.0
        for axis, size, turn in ((1, float(body["long_um"]), flip[0]), (0, float(body["short_um"]), flip[1])):
            per_unit = (levels[0].shape[axis] - 1) / (2 * REACH)
            unit_area *= per_unit * view.pixel_um / size
            scale.append(turn * per_unit * view.pixel_um / size / 2**level)
        centre = [((side - 1) / 2) for side in (texture.shape[1], texture.shape[0])]
        c, s = float(cos[n]), float(sin[n])
        dx, dy = left - float(middle_column[n]), top - float(middle_row[n])
        matrix = np.array(
            [
                [scale[0] * c, scale[0] * s, centre[0] + scale[0] * (c * dx + s * dy)],
                [-scale[1] * s, scale[1] * c, centre[1] + scale[1] * (c * dy - s * dx)],
            ]
        )
        pixels = cv2.warpAffine(
            texture, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        factor = {
            "amount": unit_area * float(body["share"]),
            "mask": 1.0,
            "height": float(body["share"]),
            "path": float(body["share"]),
        }[kind]
        if factor != 1.0:
            pixels = pixels * np.float32(factor)
        out.append(Patch(int(rows[body["row"]]), top, left, pixels))
    return out


def _level(shape: tuple[int, int], body: Array, pixel_um: float) -> int:
    """The coarsest level that is still finer than the pixels, so that nothing flickers as a cell moves."""
    texel = min(2 * REACH * float(body["long_um"]) / shape[1], 2 * REACH * float(body["short_um"]) / shape[0])
    return min(max(math.floor(math.log2(max(pixel_um / texel, 1.0)) + 0.5), 0), 4)
