"""What the mounted camera asks of whatever lies under the objective: the border between devices and sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from onscope.specimen import View

from ._hardware import Filter, LightSource, Objective

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """The SLM's image in the plane of the sample; the same object for as long as nothing about it changes.

    `image` is uint8 (rows, columns), 255 fully on, read-only; its middle lies `offset_um` (y, x) from the optical axis,
    turned by `angle_rad`; `mirror_um` is the side of a mirror in the sample. Outside of it there is no light.
    """

    image: npt.NDArray[np.uint8]
    mirror_um: float
    offset_um: tuple[float, float]
    angle_rad: float


@dataclass(frozen=True, slots=True, eq=False)
class Beam:
    """The light of one source on its way to the sample, while a camera exposes.

    `power_mw` is the power in the sample's plane over the whole field of the objective, `field_um2` the area that it is
    spread over evenly, `on_s` the seconds of the exposure during which it shone (the shutter may have opened late),
    `mask` the share of it that the SLM lets through at each pixel of the shot's view: float32 of the view's shape, 0 to
    1, read-only; None: all of it everywhere in the view. `projection` is what the mask was made of, for who has to know
    the light around the view too; None of light that does not come from the SLM.
    """

    source: LightSource
    power_mw: float
    field_um2: float
    on_s: float
    mask: npt.NDArray[np.float32] | None = None
    projection: Projection | None = None

    @property
    def irradiance_w_cm2(self) -> float:
        """W/cm2 where the mask is 1."""
        return self.power_mw * 1e-3 / (self.field_um2 * 1e-8)

    @property
    def fluence_j_cm2(self) -> float:
        """J/cm2 that this exposure brings where the mask is 1."""
        return self.irradiance_w_cm2 * self.on_s


@dataclass(frozen=True, slots=True)
class Readout:
    """Which pixels of the sensor are read, and how: `x`, `y` the first column and row, in unbinned pixels.

    `chip` is the whole sensor's (rows, columns). `binning` pixels along each side are added up to one; `bit_depth` is
    8, 12 or 16. A depth of 8 is given as uint8, the others as uint16.
    """

    x: int
    y: int
    width: int
    height: int
    binning: int = 1
    bit_depth: int = 16
    chip: tuple[int, int] = (2048, 2048)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the image."""
        return self.height // self.binning, self.width // self.binning

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the image."""
        return np.dtype(np.uint8 if self.bit_depth <= 8 else np.uint16)


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One exposure, as the devices stood in its middle.

    `number` counts the camera's exposures since it was mounted, from 0 on; `time_s` is the begin of the exposure in the
    sample's time since the mounting and `exposure_s` its length, both in seconds. `view` has the unbinned pixels that
    are read; `axis_um` (y, x) is the sample point on the optical axis, in the middle of the sensor;
    `z_um` is the focal plane above the coverslip. `emission` is the filter before the camera, None while the wheel
    turns and no light passes. `beams` are the sources that shine; none of them: the frame is dark.
    """

    number: int
    time_s: float
    exposure_s: float
    view: View
    axis_um: tuple[float, float]
    z_um: float
    objective: Objective
    emission: Filter | None
    beams: tuple[Beam, ...]
    readout: Readout


class Scene(Protocol):
    """A sample with its optics and the sensor behind them.

    The mounted camera calls both methods from one thread at a time, in the order of time.
    """

    @property
    def extent_um(self) -> tuple[float, float]:
        """The stage area (y, x) in micrometres that holds the sample, from (0, 0) on."""
        ...

    def expose(self, shot: Shot, out: Array) -> None:
        """Take the picture: write the counts into `out`, of `shot.readout`'s shape and dtype; light does its harm.

        Called in the camera's thread while the exposure lasts; what it takes longer than that delays the frame.
        """
        ...

    def illuminate(self, shot: Shot) -> None:
        """The sample is lit for `shot.exposure_s` seconds while no camera looks: an open shutter between two frames."""
        ...


@runtime_checkable
class Foreseeing(Protocol):
    """A Scene that renders ahead."""

    def ahead(self, shot: Shot) -> None:
        """The sequence's next exposure, if nothing is commanded before: what can be done for it may be done now.

        Called in the camera's thread right after `expose`; returns at once. It may never come, and what does come
        looks the same whether or not it was foreseen.
        """
        ...
