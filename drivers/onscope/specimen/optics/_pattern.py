"""Patterns of light in the sample: interference stripes, and what a spatial light modulator shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ._gaussian import GAUSSIAN_WIDTH

Array = npt.NDArray[Any]

SMOOTH = 8.0
"""Blur in pixels (sigma) above which light is drawn with coarser ones: straight lines between them miss it by less
than 1 %."""

WIDEST = 4.0
"""Blur of a mask in sides of the modulator, at most: by then 1 % of its light is left in the middle."""


@dataclass(frozen=True, slots=True)
class Stripes:
    """Two interfering beams as in structured illumination: 1 + m cos(2 pi (x cos a + y sin a) / period + phase).

    x and y run from the middle of the camera along columns and rows, `angle_rad` is that of the direction across the
    stripes, `modulation` m from 0 to 1. Two beams interfere alike at all heights (M. G. L. Gustafsson, Journal of
    Microscopy 198, 82 (2000)); through an objective the period is at least wavelength / (2 NA).
    Raises ValueError for a period or modulation that cannot be.
    """

    period_um: float
    angle_rad: float = 0.0
    phase_rad: float = 0.0
    modulation: float = 0.9

    def __post_init__(self) -> None:
        if not (self.period_um > 0 and 0 <= self.modulation <= 1):
            raise ValueError(
                f"found stripes of {self.period_um} um and modulation {self.modulation}, expected a period "
                "above 0 and a modulation of 0 to 1"
            )

    def relative(self, shape: tuple[int, int], pixel_um: float, at_um: tuple[float, float] = (0.0, 0.0)) -> Array:
        """Light relative to the even beam's, float32 (rows, columns); mean about 1.

        `at_um` (y, x) is the middle of the image relative to the middle of the camera.
        """
        turn = 2 * math.pi / self.period_um
        y, x = (((np.arange(n) - (n - 1) / 2) * pixel_um + at) * turn for n, at in zip(shape, at_um, strict=True))
        along_y = np.exp(1j * (y * math.sin(self.angle_rad) + self.phase_rad))
        along_x = np.exp(1j * x * math.cos(self.angle_rad))
        # the cosine of a sum as two outer products: far fewer cosines than pixels
        waves = np.stack([along_y.real, -along_y.imag], axis=1).astype(np.float32) * np.float32(self.modulation)
        light = waves @ np.stack([along_x.real, along_x.imag]).astype(np.float32)
        light += np.float32(1)
        return np.asarray(light)


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """What a spatial light modulator (SLM, DMD) sends into the sample.

    `image` is float32 or bool (rows, columns), 0 off to 1 fully on (uint8: 255 fully on); its middle lies at
    `offset_um` (y, x) from the middle of the camera, turned by `angle_rad`; `mirror_um` is the side of one of its
    pixels in the sample. `na` is the aperture of the projection, which limits its sharpness, `extinction` the share
    of light that an off pixel still sends (1/1000 is the full-on to full-off contrast of a DMD: Texas Instruments,
    DLP9000 family data sheets). Nothing reaches what lies outside of the modulator. Raises ValueError for a wrong
    size, or values below 0 or above 1.
    """

    image: npt.NDArray[Any]
    mirror_um: float
    offset_um: tuple[float, float] = (0.0, 0.0)
    angle_rad: float = 0.0
    na: float = 1.0
    extinction: float = 0.001

    def __post_init__(self) -> None:
        image = np.asarray(self.image)
        image = image.astype(np.float32) / (255 if image.dtype == np.uint8 else 1)
        if image.ndim != 2 or not image.size or not self.mirror_um > 0 or not self.na > 0:
            raise ValueError(
                f"found a mask of shape {image.shape} with pixels of {self.mirror_um} um and aperture {self.na}, "
                "expected (rows, columns) and sizes above 0"
            )
        if not (image.min() >= 0 and image.max() <= 1):
            raise ValueError(
                f"found mask values from {image.min():g} to {image.max():g}, expected 0 (off) to 1 (on), or uint8"
            )
        image.flags.writeable = False
        object.__setattr__(self, "image", image)

    def relative(
        self,
        shape: tuple[int, int],
        pixel_um: float,
        wavelength_nm: float,
        index: float,
        defocus_um: float = 0.0,
        at_um: tuple[float, float] = (0.0, 0.0),
    ) -> Array:
        """Light relative to the unmasked beam's, float32 (rows, columns), in a plane `defocus_um` from the focus.

        `at_um` (y, x) is the middle of the image relative to the middle of the camera. Blurred by the projection: in
        focus a Gaussian of 0.21 wavelength / NA (see `GAUSSIAN_WIDTH`), and out of focus by the cone of its rays too,
        a disc of radius defocus * tan(a) with the variance radius^2 / 4 per axis, up to WIDEST.
        """
        slope = self.na / math.sqrt(max(index**2 - self.na**2, 0.01))
        sharp_um = GAUSSIAN_WIDTH * wavelength_nm / 1000 / self.na
        sigma_um = math.hypot(sharp_um, 0.5 * defocus_um * slope)
        sigma_um = min(sigma_um, WIDEST * max(self.image.shape) * self.mirror_um)
        coarser = 2 ** max(math.ceil(math.log2(sigma_um / pixel_um / SMOOTH)), 0)
        if coarser == 1:
            return self._blurred(shape, pixel_um, sigma_um, at_um)
        few = (shape[0] // coarser + 3, shape[1] // coarser + 3)
        light = self._blurred(few, pixel_um * coarser, sigma_um, at_um)
        return _enlarged(light, shape, coarser)

    def _blurred(self, shape: tuple[int, int], pixel_um: float, sigma_um: float, at_um: tuple[float, float]) -> Array:
        sigma = sigma_um / pixel_um
        margin = math.ceil(3 * sigma)  # light from there is blurred into the image
        large = (shape[0] + 2 * margin, shape[1] + 2 * margin)
        light = soft(self._sharp(large, pixel_um, at_um), sigma)
        return np.ascontiguousarray(light[margin : margin + shape[0], margin : margin + shape[1]])

    def _sharp(self, shape: tuple[int, int], pixel_um: float, at_um: tuple[float, float]) -> Array:
        """Each pixel's mean over the mirrors that it sees."""
        step = pixel_um / self.mirror_um  # in mirrors
        if 1 < step <= 2:
            fine = self._sharp((2 * shape[0], 2 * shape[1]), 0.5 * pixel_um, at_um)
            return np.asarray(cv2.resize(fine, shape[::-1], interpolation=cv2.INTER_AREA))
        on: Array = self.extinction + (1 - self.extinction) * self.image
        wide = math.ceil(1.5 * step) if step > 1 else 0
        if wide:  # mirrors smaller than the camera's pixels: averaged, not skipped
            on = cv2.copyMakeBorder(on, wide, wide, wide, wide, cv2.BORDER_CONSTANT, value=0)
            on = soft(on, 0.5 * step)
        # from a camera pixel (x, y) to a pixel of the modulator
        y, x = (
            (np.arange(n, dtype=np.float32) - np.float32((n - 1) / 2 + (off - at) / pixel_um)) * np.float32(step)
            for n, off, at in zip(shape, self.offset_um, at_um, strict=True)
        )
        c, s = np.float32(math.cos(self.angle_rad)), np.float32(math.sin(self.angle_rad))
        row = (c * y)[:, None] + (np.float32((on.shape[0] - 1) / 2) - s * x)
        column = (s * y)[:, None] + (np.float32((on.shape[1] - 1) / 2) + c * x)
        if not wide:
            row, column = _crisp(row, step), _crisp(column, step)
        return np.asarray(cv2.remap(on, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0))


def _crisp(place: Array, step: float) -> Array:
    """Places between mirrors at which straight interpolation is the mean over a pixel `step` (at most 1) mirrors wide.

    Mirrors are squares with sharp edges: all of a pixel is on one mirror, but where an edge runs through it.
    """
    mirror = np.floor(place)
    place -= mirror
    place -= np.float32(0.5)
    place *= np.float32(1 / step)
    place += np.float32(0.5)
    np.clip(place, 0, 1, out=place)
    place += mirror
    return place


def _enlarged(image: Array, shape: tuple[int, int], scale: int) -> Array:
    """The middle of an image in `scale` times as many pixels, by straight interpolation."""
    y, x = ((m - 1) / 2 - (n - 1) / 2 / scale for m, n in zip(image.shape, shape, strict=True))
    there = np.array([[1 / scale, 0, x], [0, 1 / scale, y]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, there, shape[::-1], flags=how, borderMode=cv2.BORDER_REPLICATE))


def soft(image: Array, sigma: float) -> Array:
    """A Gaussian blur of `sigma` pixels; a wide one on a coarser grid, which it does not notice."""
    if sigma < 0.2:
        return image
    if sigma > 12 and min(image.shape) >= 64:
        half = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(soft(half, sigma / 2), image.shape[::-1], interpolation=cv2.INTER_LINEAR))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma))
