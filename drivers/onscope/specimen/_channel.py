"""One way of looking at a sample: which dye, lit how, through which filter."""

from __future__ import annotations

from dataclasses import dataclass, field

from .optics import Illumination


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of the specimen's microscope.

    `dye` is what shines (None: transmitted light, no dye), `illumination` the light, `emission_nm` the band (low, high)
    in nm that the emission filter passes (None: all of it reaches the camera, and transmitted light always does),
    `exposure_s` the exposure in seconds and `z_um` the focal plane above the coverslip in um where `snap` is told no
    others. Raises ValueError for an exposure that is not above 0 or a band that ends before it begins.
    """

    dye: str | None
    illumination: Illumination = field(default_factory=Illumination)
    emission_nm: tuple[float, float] | None = None
    exposure_s: float = 0.05
    z_um: float = 3.0

    def __post_init__(self) -> None:
        if not self.exposure_s > 0:
            raise ValueError(f"found an exposure of {self.exposure_s} s, expected one above 0")
        if self.emission_nm is not None and not 0 < self.emission_nm[0] < self.emission_nm[1]:
            raise ValueError(f"found an emission band of {self.emission_nm} nm, expected (low, high) above 0")
