"""The frozen values that cross the rooms: what is looked at, what shines there, and what is true there.

Positions are (z, y, x) in micrometres in the frame of the sample. Rows of an image run along +y, columns along +x;
whole pixel numbers are pixel centres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of the sample, as pixels.

    `centre_um` is the sample point (y, x) under the middle of the image in micrometres, `shape` its (rows, columns),
    `pixel_um` the side of a pixel in the sample in micrometres. Raises ValueError for an empty shape or a pixel
    that is not positive.
    """

    centre_um: tuple[float, float]
    shape: tuple[int, int]
    pixel_um: float

    def __post_init__(self) -> None:
        if min(self.shape) < 1 or not self.pixel_um > 0:
            raise ValueError(
                f"found a view of {self.shape} pixels of {self.pixel_um} um, expected at least (1, 1) and pixels above "
                "0: give (rows, columns) and the pixel's side in the sample"
            )

    @property
    def size_um(self) -> tuple[float, float]:
        """Height and width in micrometres."""
        return self.shape[0] * self.pixel_um, self.shape[1] * self.pixel_um

    @property
    def area_um2(self) -> float:
        """Height times width in square micrometres."""
        return self.size_um[0] * self.size_um[1]

    def pixels(self, y_um: Array, x_um: Array) -> tuple[Array, Array]:
        """Fractional (row, column) of sample points; arrays of one shape, float64."""
        row = (np.asarray(y_um, dtype=np.float64) - self.centre_um[0]) / self.pixel_um + (self.shape[0] - 1) / 2
        column = (np.asarray(x_um, dtype=np.float64) - self.centre_um[1]) / self.pixel_um + (self.shape[1] - 1) / 2
        return row, column

    def contains(self, y_um: Array, x_um: Array, margin_um: float = 0.0) -> npt.NDArray[np.bool_]:
        """Which sample points lie in the image, or at most `margin_um` outside of it; bool, shape of `y_um`."""
        row, column = self.pixels(y_um, x_um)
        margin = margin_um / self.pixel_um + 0.5
        inside = (row >= -margin) & (row < self.shape[0] - 1 + margin)
        return np.asarray(inside & (column >= -margin) & (column < self.shape[1] - 1 + margin))

    def encloses(self, other: View) -> bool:
        """Whether all of another view lies in this one."""
        return all(
            abs(mine - its) <= (size - part) / 2 + 1e-9
            for mine, its, size, part in zip(self.centre_um, other.centre_um, self.size_um, other.size_um, strict=True)
        )

    def padded(self, pixels: int) -> View:
        """The same middle with `pixels` more on each of the four sides: what blurs into the image lies there."""
        return View(self.centre_um, (self.shape[0] + 2 * pixels, self.shape[1] + 2 * pixels), self.pixel_um)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A thin slice of a dye in the sample.

    `amount` is the number of fluorophores per pixel, float32 of (rows, columns), in units of one EGFP-like molecule
    that still shines; `z_um` is the height of the slice's middle above the coverslip. The array belongs to who asked
    for it and may be changed.
    """

    z_um: float
    amount: npt.NDArray[np.float32]


CLASSES = (
    "interphase",
    "prophase",
    "metaphase",
    "anaphase",
    "telophase",
    "dying",
    "dead",
    "prometaphase",
    "bacterium",
    "bead",
    "emitter",
)
"""What an object can be; `OBJECT["kind"]` is the number of a name in this tuple.

The order is that in which a cell's phases are numbered, not that of a life: prometaphase, between prophase and
metaphase, is no phase of its own in the cells, but the part of metaphase in which the chromosomes still gather.
"""

OBJECT = np.dtype(
    [
        ("id", np.int32),  # 1, 2, ...: the value in the label images and the same for as long as the object lives
        ("parent", np.int32),  # id of the mother, 0 for what was there at the start
        ("kind", np.int16),  # number of a name in CLASSES
        ("born_s", np.float64),  # time at which the object came into being
        ("z_um", np.float32),  # middle of the nucleus (a cell), of the body (all else)
        ("y_um", np.float32),
        ("x_um", np.float32),
        ("area_um2", np.float32),  # seen from above: of the body; 0 for points
        ("dose_j_cm2", np.float32),  # light received since the start, all wavelengths
        ("stress", np.float32),  # harm done by light: 0 none, 1 the median cell dies of it
        ("bleached", np.float32),  # share of the dye lost to light, averaged over the dyes: 0 none, 1 all
        ("on", np.bool_),  # a blinking emitter shines; True for all else
    ]
)
"""One row per object, in the units the names carry."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is where, in one view at one time.

    `labels` is int32 of (rows, columns): the id of the body (cell, bacterium) that a pixel's middle lies in, 0 for
    none; `nuclei` the same for nuclei and chromosomes (0 everywhere for what has none). `objects` is a structured array
    of dtype `OBJECT`: whatever touches the view, by rising id.
    """

    time_s: float
    labels: npt.NDArray[np.int32]
    nuclei: npt.NDArray[np.int32]
    objects: Array

    def kinds(self) -> list[str]:
        """The class name of each row of `objects`."""
        return [CLASSES[kind] for kind in self.objects["kind"]]


class Sample(Protocol):
    """Something under the microscope that lives, shines, shifts light's phase, and is harmed by light.

    `dyes` names what can be excited, `extent_um` is the stage area (y, x) that holds the sample, from (0, 0) on, and
    `time_s` the sample's age.
    """

    @property
    def dyes(self) -> tuple[str, ...]: ...
    @property
    def extent_um(self) -> tuple[float, float]: ...
    @property
    def time_s(self) -> float: ...

    def advance(self, to_s: float) -> None:
        """Lives on until `to_s`, in steps of its own fixed length. Raises ValueError for a time that is past."""

    def layers(self, view: View, dye: str) -> list[Layer]:
        """What of one dye still shines at `time_s`, by rising height. Raises KeyError for a dye that it has not."""
        ...

    def thickness(self, view: View) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Optical path difference to the medium in nm, and absorbance (base 10), each of (rows, columns)."""
        ...

    def expose(self, view: View, dye: str | None, fluence_j_cm2: Array | float, wavelength_nm: float) -> None:
        """Light of a fluence per pixel (rows, columns) or one for all: bleaches `dye` (None: no dye), harms what lives.

        Fluence below 0 raises ValueError, a dye that the sample has not KeyError.
        """

    def truth(self, view: View) -> Truth:
        """Labels and objects at `time_s`."""
        ...
