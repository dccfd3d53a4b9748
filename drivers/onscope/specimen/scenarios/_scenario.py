"""What a scenario file says: sample, microscope, camera, light and how it is usually recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from .._channel import Channel
from .._view import Sample
from ..optics import Condenser, Drift, Illumination, LightPath, Microscope, Stripes
from ..optics import Objective as Lens
from ..sample import (
    Bacteria,
    BacteriaSettings,
    BeadSettings,
    BlinkingEmitters,
    BrownianBeads,
    Cells,
    CellSettings,
    EmitterSettings,
    Together,
)
from ..sensor import EMCCD, SCMOS, Emccd, Sensor


@dataclass(frozen=True, slots=True)
class SampleChoice:
    """What lies under the objective: one or several of `cells`, `bacteria`, `beads`, `emitters`, each with the fields
    of its own settings; it has lived for `age_s` seconds in the dark when it is first looked at."""

    cells: CellSettings | None = None
    bacteria: BacteriaSettings | None = None
    beads: BeadSettings | None = None
    emitters: EmitterSettings | None = None
    age_s: float = 0.0

    def __post_init__(self) -> None:
        if not any((self.cells, self.bacteria, self.beads, self.emitters)):
            raise ValueError("found no sample, expected cells, bacteria, beads or emitters")
        if self.age_s < 0:
            raise ValueError(f"found age_s={self.age_s}, expected 0 or more")

    def grown(self, seed: int) -> Sample:
        """The sample at its age."""
        parts: list[Sample] = []
        if self.cells:
            parts.append(Cells(self.cells, seed))
        if self.bacteria:
            parts.append(Bacteria(self.bacteria, seed))
        if self.beads:
            parts.append(BrownianBeads(self.beads, seed))
        if self.emitters:
            parts.append(BlinkingEmitters(self.emitters, seed))
        sample = parts[0] if len(parts) == 1 else Together(parts)
        if self.age_s:
            sample.advance(self.age_s)
        return sample


@dataclass(frozen=True, slots=True)
class Stand:
    """The microscope's stand: objective, mode of fluorescence, what lies in the light path, how it drifts."""

    objective: Lens = field(default_factory=Lens)
    mode: Literal["widefield", "confocal", "tirf"] = "widefield"
    medium_per_um3: float = 40.0
    condenser: Condenser = field(default_factory=lambda: Condenser("phase"))
    path: LightPath = field(default_factory=LightPath)
    drift: Drift = field(default_factory=Drift)


@dataclass(frozen=True, slots=True)
class Camera:
    """`kind` of sensor: scmos (pixels of 6.5 um) or emccd (13 um); `bit_depth` of its converter."""

    kind: Literal["scmos", "emccd"] = "scmos"
    bit_depth: int = 16

    @property
    def sensor(self) -> Sensor | Emccd:
        """The sensor itself."""
        chosen: Sensor | Emccd = SCMOS if self.kind == "scmos" else EMCCD
        return chosen if self.bit_depth == chosen.bit_depth else chosen.with_bits(self.bit_depth)

    @property
    def pixel_um(self) -> float:
        """Side of a pixel on the chip in um."""
        return 6.5 if self.kind == "scmos" else 13.0


@dataclass(frozen=True, slots=True)
class Phases:
    """Structured illumination: stripes of `period_um` in the sample in `angles` directions, `phases` shifts of each."""

    period_um: float
    angles: int = 3
    phases: int = 3
    modulation: float = 0.9

    def __post_init__(self) -> None:
        if not (1 <= self.angles <= 9 and 1 <= self.phases <= 9):
            raise ValueError(f"found {self.angles} angles and {self.phases} phases, expected 1 to 9 of each")

    @property
    def stripes(self) -> list[Stripes]:
        """One pattern per raw image: all phases of the first angle first; the angles begin 10 degrees off the rows."""
        return [
            Stripes(
                self.period_um,
                math.radians(10) + math.pi * angle / self.angles,
                2 * math.pi * phase / self.phases,
                self.modulation,
            )
            for angle in range(self.angles)
            for phase in range(self.phases)
        ]


@dataclass(frozen=True, slots=True)
class Lit:
    """A channel: `dye` (none: transmitted light), light of `wavelength_nm` with `power_mw` at the sample, spread over
    `field_um` x `field_um`, `exposure_ms`, the `emission_nm` filter, and the focus `z_um` above the coverslip.
    With `sim` the channel is as many raw images as there are patterns."""

    dye: str | None
    wavelength_nm: float
    power_mw: float
    exposure_ms: float
    field_um: float = 700.0
    unevenness: float = 0.2
    emission_nm: tuple[float, float] | None = None
    z_um: float = 3.0
    sim: Phases | None = None

    def channels(self, name: str) -> dict[str, Channel]:
        """The channel by its name; with `sim`, one for each pattern, named "NAME a1 p1" and so on."""
        light = Illumination(self.wavelength_nm, self.power_mw, self.field_um, self.unevenness)
        one = Channel(self.dye, light, self.emission_nm, self.exposure_ms / 1000, self.z_um)
        if self.sim is None:
            return {name: one}
        patterns = self.sim.stripes
        return {
            f"{name} a{n // self.sim.phases + 1} p{n % self.sim.phases + 1}": replace(
                one, illumination=replace(light, pattern=pattern)
            )
            for n, pattern in enumerate(patterns)
        }


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How it is usually recorded: every `interval_s`, images of `shape` (rows, columns) around `stage_um` (y, x), each
    channel as a stack of `planes` that lie `step_um` apart around its focal plane."""

    interval_s: float
    stage_um: tuple[float, float]
    shape: tuple[int, int] = (512, 512)
    planes: int = 1
    step_um: float = 1.0

    def __post_init__(self) -> None:
        if not self.interval_s > 0 or min(self.shape) < 1:
            raise ValueError(f"found interval_s={self.interval_s}, shape={self.shape}, expected both above 0")
        if self.planes < 1 or not self.step_um > 0:
            raise ValueError(
                f"found planes={self.planes}, step_um={self.step_um}, expected 1 or more, and a step above 0"
            )


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole file. Raises ValueError for another schema than 1, or no channel, or the dye of none of the samples."""

    schema: int
    name: str
    description: str
    sample: SampleChoice
    channels: dict[str, Lit]
    acquisition: Acquisition
    microscope: Stand = field(default_factory=Stand)
    camera: Camera = field(default_factory=Camera)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.schema != 1:
            raise ValueError(f"found schema {self.schema}, expected 1: this version reads no other")
        if not self.channels:
            raise ValueError("found no channels, expected one or more: without light nothing is seen")
        if self.seed < 0:
            raise ValueError(f"found seed {self.seed}, expected 0 or more")

    @property
    def all_channels(self) -> dict[str, Channel]:
        """Every raw image's channel by its name."""
        return {name: one for key, lit in self.channels.items() for name, one in lit.channels(key).items()}

    @property
    def optics(self) -> Microscope:
        """The microscope."""
        stand = self.microscope
        return Microscope(
            stand.objective,
            stand.mode,
            self.camera.pixel_um,
            medium_per_um3=stand.medium_per_um3,
            condenser=stand.condenser,
            path=stand.path,
        )
