"""Pixels that tell whose they are: noise that differs from frame to frame, stamped with the frame's number."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import FrameSpec

Pixels = npt.NDArray[Any]
STAMP = 8
"""Samples of a stamp; one is at the beginning of a frame and one at its end, so that torn frames are found too."""
BASE = 250
PLACES, STRIDE = 251, 64
"""A frame is a piece of one long strip of noise; so many pieces, so many samples apart."""
RANGES = {"uint8": (16, 240), "uint16": (100, 1124), "float32": (100, 1124)}
"""Counts of the noise, below and above: an offset of 100 and 10 bits, as a dim sample has."""


class PixelBank:
    """Makes the pixels of one camera's frames of one spec, fast, and their CRC-32, faster.

    `strip` is the noise that they are cut from, one of `strips`.

    Pixels depend on the seed, the camera's name, the spec, the segment and the number alone. Frames of one segment
    differ in every part of the image from the 250 before them, and in their stamps from all others.
    """

    def __init__(self, spec: FrameSpec, strip: Pixels) -> None:
        self._shape = spec.shape
        self._dtype = np.dtype(spec.dtype)
        self._samples = prod(spec.shape)
        self._strip = strip
        self._crcs: dict[int, int] = {}
        self._shift: list[int] = []

    def pixels(self, segment: int, seq: int) -> Pixels:
        """Fresh pixels of one frame."""
        start = _place(segment, seq)
        flat = self._strip[start : start + self._samples].copy()
        flat[:STAMP] = flat[-STAMP:] = self._stamp(segment, seq)
        return flat.reshape(self._shape)

    def crc(self, segment: int, seq: int) -> int:
        """CRC-32 of the same pixels, without making them.

        crc32(B, crc32(A)) is linear in crc32(A) over GF(2): with the images of its 32 bits for one length of B, and
        the CRC-32 of the bodies between the stamps, which come again, only the stamps are left to be looked at.
        """
        start = _place(segment, seq)
        if start not in self._crcs:
            self._crcs[start] = zlib.crc32(self._body(start).data)
        if not self._shift:
            body, plain = self._body(start), self._crcs[start]
            self._shift = [zlib.crc32(body.data, 1 << bit) ^ plain for bit in range(32)]
        stamp = self._stamp(segment, seq)
        head, crc = zlib.crc32(stamp.data), self._crcs[start]
        for bit, image in enumerate(self._shift):
            if head >> bit & 1:
                crc ^= image
        return zlib.crc32(stamp.data, crc)

    def _body(self, start: int) -> Pixels:
        return self._strip[start + STAMP : start + self._samples - STAMP]

    def _stamp(self, segment: int, seq: int) -> Pixels:
        digits = []
        for number in (seq, segment):
            for _ in range(STAMP // 2):
                number, digit = divmod(number, BASE)
                digits.append(digit)
        return np.array(digits, self._dtype)


def _place(segment: int, seq: int) -> int:
    return (seq + 83 * segment) % PLACES * STRIDE


def strips(specs: Iterable[FrameSpec], seed: int) -> dict[str, Pixels]:
    """Noise by dtype, enough for frames of all these specs of one camera."""
    made: dict[str, Pixels] = {}
    for spec in sorted(specs, key=lambda spec: -prod(spec.shape)):
        if spec.dtype not in made:
            rng = np.random.default_rng((seed, zlib.crc32(spec.camera.encode())))
            kind = np.uint8 if spec.dtype == "uint8" else np.uint16
            noise = rng.integers(*RANGES[spec.dtype], prod(spec.shape) + PLACES * STRIDE, kind)
            made[spec.dtype] = noise.astype(spec.dtype, copy=False)
    return made
