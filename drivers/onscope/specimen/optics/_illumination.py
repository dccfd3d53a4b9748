"""Illumination: how much light of which colour falls where."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ._kept import kept
from ._light import irradiance_w_cm2
from ._pattern import Mask, Stripes

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Illumination:
    """Light of one wavelength on the sample.

    `power_mw` reaches the sample when nothing masks it, on a field of `field_um` x `field_um` around the middle of the
    camera. `unevenness` is how much darker the field's corners are than its brightest point (0.2: 20 %; a Gaussian, as
    a fibre or a lens array leaves it), which lies `off_centre_um` (y, x) from the middle. There is no field stop:
    what is seen outside of the field is lit too, so give one as large as what the camera sees. `pattern` is None for
    even light, `Stripes`, or a `Mask`. The defaults are chosen: a dim blue line on the field of a 60x objective. Raises
    ValueError for what cannot be.
    """

    wavelength_nm: float = 488.0
    power_mw: float = 1.0
    field_um: float = 250.0
    unevenness: float = 0.2
    off_centre_um: tuple[float, float] = (0.0, 0.0)
    pattern: Stripes | Mask | None = None

    def __post_init__(self) -> None:
        sizes = (self.wavelength_nm, self.field_um)
        if not (
            all(0 < size < math.inf for size in sizes) and 0 <= self.power_mw < math.inf and 0 <= self.unevenness < 1
        ):
            raise ValueError(
                f"found wavelength_nm={self.wavelength_nm}, power_mw={self.power_mw}, field_um={self.field_um}, "
                f"unevenness={self.unevenness}, expected positive sizes, no negative power and an unevenness below 1"
            )

    @property
    def mean_w_cm2(self) -> float:
        """Power over the field's area, in W/cm2: the even light's mean irradiance."""
        return irradiance_w_cm2(self.power_mw, self.field_um**2)

    def irradiance(
        self,
        shape: tuple[int, int],
        pixel_um: float,
        *,
        at_um: tuple[float, float] = (0.0, 0.0),
        index: float = 1.34,
        defocus_um: float = 0.0,
    ) -> Array:
        """W/cm2 per pixel, float32 (rows, columns): `relative` times `mean_w_cm2`."""
        light = self.relative(shape, pixel_um, at_um=at_um, index=index, defocus_um=defocus_um)
        return light * np.float32(self.mean_w_cm2)

    def relative(
        self,
        shape: tuple[int, int],
        pixel_um: float,
        *,
        at_um: tuple[float, float] = (0.0, 0.0),
        index: float = 1.34,
        defocus_um: float = 0.0,
    ) -> Array:
        """Light per pixel relative to `mean_w_cm2`, float32 (rows, columns), read-only; kept for the next frame.

        `at_um` (y, x) is the middle of the image relative to the middle of the camera, `index` the sample's,
        `defocus_um` the plane's height above the focus: a mask is unsharp there.
        """
        at_um = (round(at_um[0], 6), round(at_um[1], 6))  # what rounding left of a stage position is no new place
        defocus = abs(round(defocus_um / 0.1) * 0.1) if isinstance(self.pattern, Mask) else 0.0
        same = replace(self, power_mw=1.0)
        key = (same, shape, pixel_um, at_um, index, defocus)
        return kept(key, lambda: _relative(same, shape, pixel_um, at_um, index, defocus))

    def even(
        self, shape: tuple[int, int], pixel_um: float, at_um: tuple[float, float] = (0.0, 0.0)
    ) -> tuple[Array, Array]:
        """The light without its pattern, relative to the mean: one factor per row, one per column, float32."""
        across = self.field_um / 2
        # the corner's distance squared is 2 across^2
        decay = -math.log(1 - self.unevenness) / (2 * across**2)
        factors = []
        for count, off, middle in zip(shape, self.off_centre_um, at_um, strict=True):
            at = (np.arange(count) - (count - 1) / 2) * pixel_um + middle
            mean = 1.0
            if decay > 0:
                root = math.sqrt(decay)
                ends = math.erf(root * (across - off)) + math.erf(root * (across + off))
                mean = ends * math.sqrt(math.pi / decay) / (4 * across)
            factors.append((np.exp(-decay * (at - off) ** 2) / mean).astype(np.float32))
        return factors[0], factors[1]


def _relative(
    light: Illumination,
    shape: tuple[int, int],
    pixel_um: float,
    at_um: tuple[float, float],
    index: float,
    defocus_um: float,
) -> Array:
    rows, columns = light.even(shape, pixel_um, at_um)
    if isinstance(light.pattern, Stripes):
        pattern = light.pattern.relative(shape, pixel_um, at_um)
    elif isinstance(light.pattern, Mask):
        pattern = light.pattern.relative(shape, pixel_um, light.wavelength_nm, index, defocus_um, at_um)
    else:
        return np.asarray(rows[:, None] * columns)
    np.maximum(pattern, 0, out=pattern)  # what rounding left below the dark: no sample takes less than no light
    pattern *= rows[:, None]
    pattern *= columns
    return pattern
