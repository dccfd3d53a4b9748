"""The checksum of a frame's pixels: CRC-32 as zlib and PNG have it, with the processor's own instructions (zlib-ng).

A frame of 2048 x 2048 uint16 takes 0.2 ms instead of 2 ms with Python's zlib.
"""

from __future__ import annotations

from zlib_ng import zlib_ng

from .._frame import Pixels


def crc32(pixels: Pixels) -> int:
    """The CRC-32 of contiguous pixels in memory order (y, x, samples). Other threads run meanwhile."""
    return int(zlib_ng.crc32(pixels.data))
