"""From shots of the devices to looks of the specimen: which microscope, which light, which dye."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from onscope.specimen import Look, Sample, Sight, View, drift_at, fluorophore_of
from onscope.specimen.optics import Condenser, Drift, Illumination, LightPath, Mask, Microscope, Mode, Stripes
from onscope.specimen.optics import Objective as Lens

from ._hardware import Filter, Objective
from ._scene import Beam, Projection, Shot


@dataclass(frozen=True, slots=True)
class Stand:
    """What of the stand is no device: the fluorescence's `mode`, its light's `unevenness`, drift, dust, condenser, the
    medium's own light (`Microscope.medium_per_um3`), and the `transmission` of its objectives."""

    mode: Mode = "widefield"
    unevenness: float = 0.2
    drift: Drift = field(default_factory=Drift)
    path: LightPath = field(default_factory=LightPath)
    condenser: Condenser = field(default_factory=lambda: Condenser("phase"))
    medium_per_um3: float = 40.0
    transmission: float = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a shot asks for: `sight` is what is seen in `view`, `sent` all light with its seconds, seen or not."""

    shot: Shot
    view: View
    sight: Sight
    sent: tuple[tuple[Look, float], ...]


class Eyepiece:
    """Translates shots, one thread at a time; `dyes` names the dye that is seen through each filter, by its label."""

    def __init__(self, stand: Stand, dyes: Mapping[str, str]) -> None:
        self._stand, self._dyes = stand, dict(dyes)
        self._masks: dict[Projection, Mask] = {}

    def asked(self, shot: Shot, age_s: float) -> Asked:
        """What is looked at when the sample is `age_s` old. Raises ValueError where no microscope can be as told."""
        z_um, y_um, x_um = drift_at(self._stand.drift, age_s)
        (top, left), (axis_y, axis_x) = shot.view.centre_um, shot.axis_um
        view = View((top + y_um, left + x_um), shot.view.shape, shot.view.pixel_um)
        axis_um = (axis_y + y_um, axis_x + x_um)
        emission = shot.emission
        dye = self._dyes.get(emission.label) if emission else None
        seen, sent = [], []
        for beam in shot.beams:
            light, on_s = self._light(shot, beam), round(beam.on_s, 9)
            if beam.source.transmitted:
                passes = emission is not None and emission.passes(beam.source.wavelength_nm)
                look = Look(self._microscope(shot, "transmitted" if passes else self._mode), light, view, axis_um, None)
            else:
                passes = dye is not None
                look = Look(self._microscope(shot, self._mode), light, view, axis_um, dye)
            sent.append((look, on_s))
            if passes:
                seen.append((look, on_s))
        band = None if emission is None else (emission.low_nm, emission.high_nm)
        sight = Sight(tuple(seen), view.shape, round(shot.z_um + z_um, 6), band, shot.readout.binning)
        return Asked(shot, view, sight, tuple(sent))

    @property
    def _mode(self) -> Mode:
        return self._stand.mode

    def _microscope(self, shot: Shot, mode: Mode) -> Microscope:
        here: Objective = shot.objective
        return Microscope(
            Lens(here.magnification, here.na, here.immersion_index, self._stand.transmission),
            mode,
            camera_pixel_um=shot.view.pixel_um * here.magnification,
            medium_per_um3=self._stand.medium_per_um3,
            condenser=self._stand.condenser,
            path=self._stand.path,
        )

    def _light(self, shot: Shot, beam: Beam) -> Illumination:
        source = beam.source
        pattern: Stripes | Mask | None = source.pattern
        if beam.mask is not None and beam.projection is not None:
            pattern = self._masks.get(beam.projection)
            if pattern is None:  # kept, for fields of light are remembered by it
                self._masks.clear()
                turned = beam.projection
                na = min(shot.objective.na, 1.0)
                pattern = Mask(turned.image, turned.mirror_um, turned.offset_um, turned.angle_rad, na)
                self._masks[beam.projection] = pattern
        return Illumination(
            source.wavelength_nm,
            beam.power_mw,
            field_um=math.sqrt(beam.field_um2),
            unevenness=self._stand.unevenness if source.unevenness is None else source.unevenness,
            pattern=pattern,
        )


def dyes_through(sample: Sample, filters: Iterable[Filter]) -> dict[str, str]:
    """By the filter's label, the sample's first dye whose emission peak passes; what passes all colours is left out."""
    found = {}
    for one in filters:
        through = [dye for dye in sample.dyes if one.passes(fluorophore_of(sample, dye).emission_nm)]
        if through and one.high_nm - one.low_nm < 200:
            found[one.label] = through[0]
    return found
