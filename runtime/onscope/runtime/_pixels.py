"""Micro-Manager's pixel types, unpacked: what its two cores hand out becomes (pixels, axes) of this project.

Micro-Manager packs a colour pixel as B, G, R, A (32 or 64 bits) and knows 32-bit float cameras. Its Python core gives
a packed pixel as one uint32 or uint64, and floats as their uint32 bit patterns; its Java core gives flat arrays, with
four samples per colour pixel. The PixelType tag tells colour from float where the dtype cannot.
"""

from __future__ import annotations

import numpy as np

from ._errors import FrameMismatchError
from ._frame import Pixels

FLOAT_TYPES = frozenset({"GRAY32", "GRAY32F", "32F"})
"""PixelType tags of 32-bit float cameras, by core."""
PLAIN_TYPES = frozenset({np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)})
BGRA_TO_RGB = [2, 1, 0]


def unpack(
    image: Pixels, pixel_type: str | None = None, height: int | None = None, width: int | None = None
) -> tuple[Pixels, str]:
    """Pixels with the axes "yx" (uint8, uint16, float32) or "yxs" (uint8, uint16; R, G, B) of one image from a core.

    `image` is (y, x), (y, x, 3 or 4) or flat; flat ones need `height` and `width` in pixels. `pixel_type` is the
    core's tag (GRAY8, GRAY16, GRAY32, 32F, RGB32, RGB64); it decides for uint32, where float and colour look alike,
    and says of three samples that they are B, G, R; without it they are R, G, B already. Grey pixels
    are a view of `image`, colour ones a new array: alpha is dropped and the order turned.
    Raises FrameMismatchError for anything else.
    """
    if image.dtype.byteorder == ">":
        image = image.astype(image.dtype.newbyteorder("="))
    if image.ndim == 1:
        image = _from_flat(image, height, width)
    if image.ndim == 2 and image.dtype in PLAIN_TYPES:
        return image, "yx"
    if image.ndim == 2 and image.dtype == np.uint32:
        if pixel_type in FLOAT_TYPES:
            return image.view(np.float32), "yx"
        if pixel_type == "RGB32":
            return _rgb(np.ascontiguousarray(image).view("<u1").reshape(*image.shape, 4)), "yxs"
    if image.ndim == 2 and image.dtype == np.uint64:
        return _rgb(np.ascontiguousarray(image).view("<u2").reshape(*image.shape, 4)), "yxs"
    if image.ndim == 3 and image.dtype in (np.uint8, np.uint16):
        if image.shape[2] == 4:
            return _rgb(image), "yxs"
        if image.shape[2] == 3:
            # pycro-manager's Java backend cuts the alpha of RGB32 before its hooks see it, and leaves B, G, R.
            return (_rgb(image) if pixel_type == "RGB32" else image), "yxs"
    raise FrameMismatchError(
        f"found an image of {'x'.join(map(str, image.shape))} {image.dtype} with the pixel type {pixel_type}, expected "
        "GRAY8, GRAY16, a 32-bit float, RGB32 or RGB64 one: set the camera to one of these"
    )


def _from_flat(image: Pixels, height: int | None, width: int | None) -> Pixels:
    """(y, x) or (y, x, 4) of a flat array, whichever its length says."""
    if height and width and image.size in (height * width, 4 * height * width):
        shape = (height, width) if image.size == height * width else (height, width, 4)
        return image.reshape(shape)
    raise FrameMismatchError(
        f"found {image.size} pixels in a row for a height of {height} and a width of {width}, expected one or four "
        "values per pixel: give the image's Height and Width"
    )


def _rgb(bgra: Pixels) -> Pixels:
    return np.ascontiguousarray(bgra[..., BGRA_TO_RGB])
