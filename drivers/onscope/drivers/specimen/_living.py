"""A living sample and its optics as the scene of the mounted microscope."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from onscope.specimen import Sample, Truth, View
from onscope.specimen.optics import EGFP, Condenser, Drift, Fluorophore, Illumination, LightPath, Mask, Microscope, Mode
from onscope.specimen.optics import Objective as Lens
from onscope.specimen.sensor import SCMOS

from ._hardware import FILTERS, Filter
from ._readout import AnySensor, binned, expected, read_out
from ._scene import Beam, Projection, Shot

Array = npt.NDArray[Any]
LATE_S = 0.1
"""Seconds of the same light that the sample is given at once: in a tenth of a second little bleaches, and asking a
sample for every frame what its cells received costs as much as drawing them."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is true of one exposure: `counts` without noise (float32, the image's shape), and what is where in the view.

    `truth` has the unbinned pixels of the view; `view` is what the camera looked at, drift included.
    """

    counts: npt.NDArray[np.float32]
    truth: Truth
    view: View


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


@dataclass(frozen=True, slots=True)
class _Light:
    """Light that the sample gets, and the dye that it bleaches."""

    scope: Microscope
    illumination: Illumination
    view: View
    axis_um: tuple[float, float]
    dye: str | None


class Living:
    """A Scene: a `Sample` of onscope.specimen under its `Microscope`, before its `Sensor`.

    `dyes` names the dye that is seen through each emission filter, by the filter's label (None: for each filter the
    sample's first dye whose fluorophore shines through it). Light through the SLM and the shutter bleaches that dye and
    harms what lives, in the view that the camera reads, up to LATE_S later. A shot's time counts from the sample's age
    on: time 0 is when it was put under the microscope. With `remember` above 0 the truth of so
    many last exposures can be asked for by `seen`. The same sample, seed and shots give the same frames.
    """

    def __init__(
        self,
        sample: Sample,
        *,
        dyes: Mapping[str, str] | None = None,
        stand: Stand | None = None,
        sensor: AnySensor = SCMOS,
        seed: int = 0,
        remember: int = 0,
    ) -> None:
        self.sample = sample
        self._dyes = dict(dyes if dyes is not None else dyes_through(sample, FILTERS))
        self._stand, self._sensor, self._seed = stand or Stand(), sensor, seed
        self._remember = remember
        self._last: OrderedDict[int, Seen] = OrderedDict()
        self._masks: dict[Projection, Mask] = {}
        self._due: dict[_Light, float] = {}
        self._lock = threading.Lock()
        self._age_s = sample.time_s

    @property
    def extent_um(self) -> tuple[float, float]:
        """The sample's stage area (y, x) in um."""
        return self.sample.extent_um

    def expose(self, shot: Shot, out: Array) -> None:
        """Called by the camera; see `Scene`."""
        self._live(shot.time_s)
        view, axis_um, z_um = self._drifted(shot)
        images = [one for beam in shot.beams if (one := self._image(shot, beam, view, axis_um, z_um)) is not None]
        photons = sum(images[1:], start=images[0]) if images else np.zeros(view.shape, np.float32)
        read = binned(photons, shot.readout.binning)
        read_out(self._sensor, read, shot, np.random.default_rng((self._seed, shot.number)), out)
        if self._remember:
            seen = Seen(expected(self._sensor, read, shot), self.sample.truth(view), view)
            with self._lock:
                self._last[shot.number] = seen
                while len(self._last) > self._remember:
                    self._last.popitem(last=False)
        self._harm(shot, view, axis_um)

    def illuminate(self, shot: Shot) -> None:
        """Light without a camera; see `Scene`."""
        self._live(shot.time_s)
        view, axis_um, _ = self._drifted(shot)
        self._harm(shot, view, axis_um)

    def seen(self, number: int) -> Seen:
        """The truth of exposure `number` (the tag SpecimenExposure). Raises KeyError when it is not remembered."""
        with self._lock:
            return self._last[number]

    def _live(self, time_s: float) -> None:
        if self._age_s + time_s > self.sample.time_s:
            self.sample.advance(self._age_s + time_s)

    def _drifted(self, shot: Shot) -> tuple[View, tuple[float, float], float]:
        """View, optical axis and focal plane in the sample's frame."""
        z_um, y_um, x_um = self._stand.drift.at(self._age_s + shot.time_s)
        (top, left), (axis_y, axis_x) = shot.view.centre_um, shot.axis_um
        view = View((top + y_um, left + x_um), shot.view.shape, shot.view.pixel_um)
        return view, (axis_y + y_um, axis_x + x_um), shot.z_um + z_um

    def _image(self, shot: Shot, beam: Beam, view: View, axis_um: tuple[float, float], z_um: float) -> Array | None:
        """Photons per pixel that one beam brings to the camera; None: it brings none."""
        source, emission = beam.source, shot.emission
        if emission is None:
            return None
        if source.transmitted:
            if not emission.passes(source.wavelength_nm):
                return None
            through, light = self._microscope(shot, "transmitted"), self._light(shot, beam)
            return through.image(self.sample, view, None, z_um, light, beam.on_s, axis_um=axis_um)
        dye = self._dyes.get(emission.label)
        if dye is None:
            return None
        scope, light = self._microscope(shot, self._stand.mode), self._light(shot, beam)
        shines = fluorophore_of(self.sample, dye)
        image = scope.image(self.sample, view, dye, z_um, light, beam.on_s, fluorophore=shines, axis_um=axis_um)
        image *= np.float32(shines.emission_share(emission.low_nm, emission.high_nm))
        return image

    def _harm(self, shot: Shot, view: View, axis_um: tuple[float, float]) -> None:
        """Light on the sample; short flashes of the same light are kept together until they are LATE_S long."""
        dye = self._dyes.get(shot.emission.label) if shot.emission else None
        scope = self._microscope(shot, self._stand.mode)
        for beam in shot.beams:
            light = _Light(scope, self._light(shot, beam), view, axis_um, None if beam.source.transmitted else dye)
            self._due[light] = self._due.get(light, 0.0) + beam.on_s
        if self._remember or len(self._due) != len(shot.beams) or max(self._due.values(), default=0.0) >= LATE_S:
            self._settle()

    def _settle(self) -> None:
        for light, seconds in self._due.items():
            fluence = light.scope.fluence(light.view, light.illumination, seconds, axis_um=light.axis_um)
            self.sample.expose(light.view, light.dye, fluence, light.illumination.wavelength_nm)
        self._due.clear()

    def _microscope(self, shot: Shot, mode: Mode) -> Microscope:
        here = shot.objective
        return Microscope(
            Lens(here.magnification, here.na, here.immersion_index, self._stand.transmission),
            mode,
            camera_pixel_um=shot.view.pixel_um * here.magnification,
            medium_per_um3=self._stand.medium_per_um3,
            condenser=self._stand.condenser,
            path=self._stand.path,
        )

    def _light(self, shot: Shot, beam: Beam) -> Illumination:
        pattern = beam.source.pattern
        if beam.mask is not None and beam.projection is not None:
            pattern = self._masks.get(beam.projection)
            if pattern is None:  # kept, for fields of light are remembered by it
                self._masks.clear()
                turned = beam.projection
                na = min(shot.objective.na, 1.0)
                pattern = Mask(turned.image, turned.mirror_um, turned.offset_um, turned.angle_rad, na)
                self._masks[beam.projection] = pattern
        return Illumination(
            beam.source.wavelength_nm,
            beam.power_mw,
            field_um=math.sqrt(beam.field_um2),
            unevenness=self._stand.unevenness if beam.source.unevenness is None else beam.source.unevenness,
            pattern=pattern,
        )


def fluorophore_of(sample: Sample, dye: str) -> Fluorophore:
    """That of a dye, where the sample tells it; else EGFP."""
    tells = getattr(sample, "fluorophore", None)
    return EGFP if tells is None else cast("Fluorophore", tells(dye))


def dyes_through(sample: Sample, filters: Iterable[Filter]) -> dict[str, str]:
    """By the filter's label, the sample's first dye whose emission peak passes; what passes all colours is left out."""
    found = {}
    for one in filters:
        through = [dye for dye in sample.dyes if one.passes(fluorophore_of(sample, dye).emission_nm)]
        if through and one.high_nm - one.low_nm < 200:
            found[one.label] = through[0]
    return found
