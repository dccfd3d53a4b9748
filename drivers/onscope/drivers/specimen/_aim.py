"""What a network that sees an exposure is to find: another channel of the same moment, or finer detail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from onscope.specimen import Looking, Sight, View, fluorophore_of
from onscope.specimen.scenarios import Scenario

from ._choice import FINE
from ._hardware import Filter, Hardware, LightSource
from ._readout import AnySensor, expected
from ._scene import Beam, Shot
from ._stand import Eyepiece

Array = npt.NDArray[Any]
FINER = 2
"""Pixels of a finer image for each of a frame's, along each side: what structured illumination at most resolves."""


class Aim(Protocol):
    """Says of a shot which other one shows what is to be found, and draws that one without noise."""

    def shot(self, shot: Shot) -> Shot:
        """The other shot."""
        ...

    def image(self, looking: Looking, sight: Sight, sensor: AnySensor, shot: Shot) -> Array:
        """What `sight`, which is what the other `shot` asks for, shows now; nothing is booked on the sample."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelAim:
    """The same place, plane and moment in the light of another channel: expected counts, float32 (y, x)."""

    emission: Filter
    power_mw: tuple[tuple[LightSource, float], ...]
    exposure_s: float

    def shot(self, shot: Shot) -> Shot:
        beams = tuple(
            Beam(
                light, power, shot.objective.field_um2 if light.field_um is None else light.field_um**2, self.exposure_s
            )
            for light, power in self.power_mw
        )
        return replace(shot, exposure_s=self.exposure_s, emission=self.emission, beams=beams)

    def image(self, looking: Looking, sight: Sight, sensor: AnySensor, shot: Shot) -> Array:
        return expected(sensor, looking.ahead(sight), shot)


@dataclass(frozen=True, slots=True)
class FineAim:
    """The same dye under even light with twice the pixels per side, blurred half as wide: photons, float32 (2y, 2x).

    The blur is that of the same microscope at half the wavelength: twice its cutoff, which structured illumination
    whose stripes are as fine as the microscope passes brings at most (M. G. L. Gustafsson, Journal of Microscopy 198,
    82, 2000, doi:10.1046/j.1365-2818.2000.00710.x).
    """

    def shot(self, shot: Shot) -> Shot:
        view = shot.view
        finer = View(view.centre_um, (view.shape[0] * FINER, view.shape[1] * FINER), view.pixel_um / FINER)
        beams = tuple(replace(one, source=replace(one.source, pattern=None), mask=None) for one in shot.beams)
        readout = replace(shot.readout, binning=1)
        return replace(shot, view=finer, beams=beams, readout=readout)

    def image(self, looking: Looking, sight: Sight, sensor: AnySensor, shot: Shot) -> Array:
        total = np.zeros(shot.view.shape, np.float32)
        for look, seconds in sight.looks:
            if look.dye is None:
                continue
            dye = fluorophore_of(looking.sample, look.dye)
            total += look.scope.image(
                looking.sample,
                look.view,
                look.dye,
                sight.z_um,
                look.light,
                seconds,
                fluorophore=replace(dye, emission_nm=dye.emission_nm / FINER),
                axis_um=look.axis_um,
            )
        return total


class Aiming:
    """Draws an aim's images, one for each sight and step of the sample: what bleaches within a step is left out."""

    def __init__(self, aim: Aim, eyepiece: Eyepiece, sensor: AnySensor) -> None:
        self._aim, self._eyepiece, self._sensor = aim, eyepiece, sensor
        self._last: tuple[tuple[Sight, float], Array] | None = None

    def image(self, looking: Looking, shot: Shot, age_s: float) -> Array:
        """What a network that sees the shot is to find, read-only."""
        other = self._aim.shot(shot)
        sight = self._eyepiece.asked(other, age_s).sight
        key = (sight, looking.step)
        if self._last is None or self._last[0] != key:
            image = self._aim.image(looking, sight, self._sensor, other)
            image.flags.writeable = False
            self._last = key, image
        return self._last[1]


def aim_of(scenario: Scenario, hardware: Hardware, against: str) -> Aim:
    """The aim of this name, as a `Choice` has it: a channel of the scenario, or FINE."""
    if against == FINE:
        return FineAim()
    preset = next(one for one in hardware.channels if one.name == against)
    lights = {one.label: one for one in hardware.lights}
    return ChannelAim(
        next(one for one in hardware.filters if one.label == preset.filter),
        tuple((lights[label], power) for label, power in preset.power_mw.items()),
        scenario.all_channels[against].exposure_s,
    )
