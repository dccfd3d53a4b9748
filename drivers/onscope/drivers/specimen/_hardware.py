"""A microscope's parts as its maker's data sheets tell them: what there is, how fast, within which limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onscope.specimen.optics import Mask, Stripes

from ._errors import DeviceError

FIELD_NUMBER_MM = 22.0
"""Diameter of the lit field in the intermediate image, in mm: the common field number of research stands' tubes."""

NO_FILTER = "Open"
"""The wheel's position without a filter."""


@dataclass(frozen=True, slots=True)
class Objective:
    """`magnification` with the stand's own tube lens, `na` the numerical aperture, `immersion_index` of the
    immersion."""

    label: str
    magnification: float
    na: float
    immersion_index: float = 1.0

    @property
    def field_um2(self) -> float:
        """Area of the sample that the light sources fill evenly, in um2 (a disc; see FIELD_NUMBER_MM)."""
        return math.pi * (FIELD_NUMBER_MM * 1e3 / self.magnification / 2) ** 2


@dataclass(frozen=True, slots=True)
class LightSource:
    """A line of a light engine, or the lamp above the stage (`transmitted`); powers are those that reach the sample.

    `field_um` is the side of the square that it lights (None: the objective's field), `unevenness` as in the optics'
    `Illumination` (None: the stand's), `pattern` the stripes of light that an interferometer makes of it.
    """

    label: str
    wavelength_nm: float
    max_power_mw: float
    transmitted: bool = False
    field_um: float | None = None
    unevenness: float | None = None
    pattern: Stripes | Mask | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A band-pass before the camera: light of `low_nm` to `high_nm` passes."""

    label: str
    low_nm: float
    high_nm: float

    def passes(self, wavelength_nm: float) -> bool:
        return self.low_nm <= wavelength_nm <= self.high_nm


@dataclass(frozen=True, slots=True)
class Channel:
    """A preset of the group Channel: the filter, and the power in mW of each source that is on; the others are off."""

    name: str
    filter: str
    power_mw: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a stage: limits in um, highest speed in um/s, acceleration in um/s2, settling time in seconds."""

    limits_um: tuple[float, float]
    speed_um_s: float
    acceleration_um_s2: float
    settle_s: float


@dataclass(frozen=True, slots=True)
class CameraModel:
    """A rolling-shutter camera: `shape` (rows, columns), pixel side in um, seconds per line, exposure limits in ms."""

    name: str = "sCMOS"
    shape: tuple[int, int] = (2048, 2048)
    pixel_um: float = 6.5
    line_s: float = 4.868e-6
    exposure_ms: tuple[float, float] = (0.01, 10_000.0)
    binnings: tuple[int, ...] = (1, 2, 4)
    bit_depths: tuple[int, ...] = (8, 12, 16)


@dataclass(frozen=True, slots=True)
class SlmModel:
    """A micromirror array imaged into the sample: `shape` (rows, columns), mirror pitch in um, demagnified by `relay`.

    In the sample a mirror measures pitch_um * relay / magnification. `rotation_deg` and `offset_um` (y, x in the
    sample, at magnification 1) are how it is mounted; neither is ever zero in a real stand before it is aligned.
    """

    shape: tuple[int, int] = (768, 1024)
    pitch_um: float = 13.68
    relay: float = 1.0
    rotation_deg: float = 0.0
    offset_um: tuple[float, float] = (0.0, 0.0)


OBJECTIVES = (
    Objective("Plan Apo 10x 0.45", 10.0, 0.45),
    Objective("Plan Apo 20x 0.75", 20.0, 0.75),
    Objective("Plan Apo 60x 1.40 Oil", 60.0, 1.40, 1.515),
)
"""Plan apochromats as every maker of research stands has them; 1.515: immersion oil (ISO 8036)."""

LIGHTS = (
    LightSource("LED 385", 385.0, 80.0),
    LightSource("LED 475", 475.0, 120.0),
    LightSource("LED 555", 555.0, 120.0),
    LightSource("LED 630", 630.0, 100.0),
    LightSource("Lamp", 600.0, 1.0, transmitted=True),
)
"""Lines of a solid-state light engine; about 100 mW each reach the sample (Lumencor SPECTRA X: 100-500 mW leave its
light guide). The lamp is the green to red light of a white LED above the condenser."""

FILTERS = (
    Filter("ET460/50", 435.0, 485.0),
    Filter("ET525/50", 500.0, 550.0),
    Filter("ET605/52", 579.0, 631.0),
    Filter("ET705/72", 669.0, 741.0),
    Filter(NO_FILTER, 350.0, 1000.0),
)
"""Emission filters for DAPI, GFP, TRITC and Cy5 (Chroma ET series: centre and width in nm are the name)."""

CHANNELS = (
    Channel("DAPI", "ET460/50", {"LED 385": 4.0}),
    Channel("FITC", "ET525/50", {"LED 475": 6.0}),
    Channel("TRITC", "ET605/52", {"LED 555": 6.0}),
    Channel("Cy5", "ET705/72", {"LED 630": 8.0}),
    Channel("Transmitted", NO_FILTER, {"Lamp": 0.002}),
)


@dataclass(frozen=True, slots=True)
class Hardware:
    """A whole microscope. The defaults are an inverted stand for living cells.

    `camera`: the line time of a Hamamatsu ORCA-Fusion in fast scan (2304 lines in 11.2 ms, 89.1 frames/s; instruction
    manual C14440-20UP), with a 2048 x 2048 sensor of 6.5 um pixels. `xy`: a lead-screw stage (ASI MS-2000: 7 mm/s, 100
    ms ramps). `z`: a piezo scanner of the 400 um class (Physik Instrumente P-725.4), settled after some 10 ms.
    `shutter_s`: from command to open (Uniblitz VS25: 3 ms of delay, 3 ms of travel). `wheel_s`: between any two filters
    (Sutter Lambda 10-3, 25 mm filters: 40 ms to the next one). `turret_s`: a motorised nosepiece takes about a second.
    """

    camera: CameraModel = field(default_factory=CameraModel)
    objectives: tuple[Objective, ...] = OBJECTIVES
    lights: tuple[LightSource, ...] = LIGHTS
    filters: tuple[Filter, ...] = FILTERS
    channels: tuple[Channel, ...] = CHANNELS
    xy: Axis = Axis((0.0, 110_000.0), 7_000.0, 70_000.0, 0.03)
    z: Axis = Axis((-50.0, 350.0), 10_000.0, 5e6, 0.01)
    slm: SlmModel = field(default_factory=SlmModel)
    shutter_s: float = 0.006
    wheel_s: float = 0.04
    turret_s: float = 1.0
    start_objective: str = OBJECTIVES[2].label
    start_channel: str = CHANNELS[1].name

    def pixel_um(self, objective: Objective) -> float:
        """Side of an unbinned camera pixel in the sample, in um."""
        return self.camera.pixel_um / objective.magnification

    @property
    def start_turret(self) -> int:
        """The turret's position at the start. Raises DeviceError when there is no objective of that label."""
        return _position([one.label for one in self.objectives], self.start_objective, "objective")

    @property
    def start_filter(self) -> int:
        """The wheel's position at the start. Raises DeviceError when there is no such channel, or no such filter."""
        channel = _position([one.name for one in self.channels], self.start_channel, "channel")
        return _position([one.label for one in self.filters], self.channels[channel].filter, "filter")


def _position(labels: Sequence[str], label: str, kind: str) -> int:
    if label not in labels:
        raise DeviceError(f"found the {kind} {label!r}, expected one of {', '.join(labels)}: name one that is there")
    return labels.index(label)
