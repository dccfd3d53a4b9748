"""The stand of a virtual microscope: where it is, how it is set, what that takes and does to the specimen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from onscope.runtime import ControlError, Frame, FrameId
from onscope.runtime.feedback import Command, Light
from onscope.runtime.feedback.rehearse import Shot
from onscope.specimen import Specimen, View, drift_at
from onscope.specimen.optics import Mask
from onscope.specimen.scenarios import Scenario, as_specimen

from ._chronicle import Chronicle
from ._lights import GROUP, lamps
from ._shots import coarser, true_frame
from ._times import DeviceTimes

CAMERA = "virtual"
COARSE_UM = 1.0
"""Pixels of what is true of frames that nobody looks at."""


class Stand:
    """A scenario's specimen under devices that take their time; `seconds` counts from `begin_ns` on.

    `look`: frames are rendered (else their pixels are zeros that take no room, and only their light falls). `tell`:
    what is true of them is known. Where the sample tells it, all that happens to it goes into `chronicle`.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int | None,
        shape: tuple[int, int],
        times: DeviceTimes,
        look: bool,
        tell: bool,
        begin_ns: int = 0,
    ) -> None:
        self.specimen: Specimen = as_specimen(scenario, seed)
        self.shape, self.times, self.seconds = shape, times, 0.0
        self.commands: list[Command] = []
        self.taken: list[Shot] = []
        y_um, x_um = scenario.acquisition.stage_um
        self.x_um, self.y_um = float(x_um), float(y_um)
        self.channel = next(iter(self.specimen.channels))
        self.z_um = self.specimen.channels[self.channel].z_um
        self.exposure_ms = self.specimen.channels[self.channel].exposure_s * 1e3
        self.lamps, self._lamp_of = lamps(scenario)
        self._look, self._tell, self._began_s, self._begin_ns = look, tell, self.specimen.time_s, begin_ns
        self._wheel, self._frames = self.channel, 0
        self.position = ""
        """What the frames of an action are put at ("visit 3"), as acquisitions do; empty: they are routine."""
        self._segment, self._seq, self._exposed_ms = -1, 0, float("nan")
        self._nothing = np.broadcast_to(np.zeros((), np.uint16), shape)
        self.chronicle = Chronicle(self.specimen, self.view)

    @property
    def now_ns(self) -> int:
        """Its time in nanoseconds."""
        return self._begin_ns + round(self.seconds * 1e9)

    @property
    def sample_s(self) -> float:
        """The sample's age in seconds."""
        return self._began_s + self.seconds

    @property
    def view(self) -> View:
        """What the camera sees now, drift included."""
        _, y_um, x_um = drift_at(self.specimen.drift, self.specimen.time_s)
        return View((self.y_um + y_um, self.x_um + x_um), self.shape, self.specimen.pixel_um)

    @property
    def lights(self) -> Mapping[str, Light]:
        """Every light as it is set."""
        powers = {lamp: self.specimen.channels[name].illumination.power_mw for name, lamp in self._lamp_of.items()}
        return MappingProxyType({name: lamp.at(powers[name]) for name, lamp in self.lamps.items()})

    @property
    def channels(self) -> Mapping[str, Mapping[str, Light]]:
        """By channel and light, what shines while a frame is exposed."""
        of = {
            name: self.lamps[lamp].at(self.specimen.channels[name].illumination.power_mw)
            for name, lamp in self._lamp_of.items()
        }
        return MappingProxyType({name: MappingProxyType({self._lamp_of[name]: light}) for name, light in of.items()})

    def to(self, seconds: float) -> None:
        """Time goes on until then, and the sample's with it; a time that is past changes nothing."""
        self.seconds = max(self.seconds, seconds)
        self.chronicle.advance(self.sample_s)

    def command(self, verb: str, device: str = "", value: object = None) -> None:
        """Note what was told to a device."""
        self.commands.append(Command(self.now_ns, verb, device, value))

    def move(self, x_um: float, y_um: float) -> None:
        """The stage goes there; back when it has settled. No light falls meanwhile."""
        self.command("move", "XY", (x_um, y_um))
        self.to(self.seconds + self.times.xy_s(x_um - self.x_um, y_um - self.y_um))
        self.x_um, self.y_um = x_um, y_um

    def focus(self, z_um: float) -> None:
        """The focus goes there, as `move`."""
        self.command("move", "Z", z_um)
        self.to(self.seconds + self.times.z_s(z_um - self.z_um))
        self.z_um = z_um

    def choose(self, group: str, preset: str) -> None:
        """A channel for all that follows. Raises ControlError for another group, or a channel that there is not."""
        if group != GROUP:
            raise ControlError(f"found the group {group!r}, expected {GROUP}: it is the only one of this microscope")
        self.channel = self._known(preset)
        self.command("set", GROUP, preset)
        self._turn(preset)

    def set_power(self, light: str, power_mw: float) -> None:
        """The power of a light in every channel that has it. Raises ControlError for a light that there is not."""
        for name in self._channels_of(light):
            channel = self.specimen.channels[name]
            lit = replace(channel.illumination, power_mw=power_mw)
            self.specimen.channels[name] = replace(channel, illumination=lit)
        self.command("power_mw", light, power_mw)

    def expose(
        self, channel: str | None = None, exposure_ms: float | None = None, *, routine: bool = False, keep: bool = True
    ) -> Shot:
        """A frame, and its light's harm; None: as it is set. `keep`: it is one of `taken`."""
        name = self._known(self.channel if channel is None else channel)
        milliseconds = self.exposure_ms if exposure_ms is None else exposure_ms
        self._turn(name)
        self.to(self.seconds + self.times.shutter_s)
        self.command("expose", CAMERA, milliseconds)
        at_um, view, seconds = (self.y_um, self.x_um), self.view, milliseconds / 1e3
        pixels, truth = self._nothing, None
        if self._look:
            snap = self.specimen.snap(
                at_um, name, shape=self.shape, exposure_s=seconds, z_um=self.z_um, truth=self._tell
            )
            pixels, truth = snap.counts, snap.truth
        else:
            truth = self.specimen.truth(coarser(view, COARSE_UM)) if self._tell else None
            self.specimen.illuminate(at_um, name, seconds, shape=self.shape)
        known = None if truth is None else true_frame(truth, view)
        self.to(self.seconds + seconds + self.times.readout_s(self.shape[0]))
        frame = Frame(
            self._id(milliseconds),
            pixels,
            index=MappingProxyType(self._index(name)),
            received_ns=self.now_ns,
            exposure_end_ns=self.now_ns,
            pixel_size_um=self.specimen.pixel_um,
            exposure_ms=milliseconds,
            stage_um=(self.x_um, self.y_um, self.z_um),
            labels=MappingProxyType({"c": name} | ({"p": self.position} if self.position else {})),
        )
        self._frames += 1
        shot = Shot(frame, known, routine)
        if keep:
            self.taken.append(shot)
        return shot

    def project(
        self,
        mask: npt.NDArray[np.uint8],
        pixel_um: float,
        at_um: tuple[float, float],
        light: str,
        power_mw: float,
        seconds: float,
    ) -> None:
        """Light through a mask whose middle lies at `at_um` (x, y) of the stage, and its harm."""
        name = self._channels_of(light)[0]
        before = self.specimen.channels[name].illumination.power_mw
        off_um = (at_um[1] - self.y_um, at_um[0] - self.x_um)
        pattern = Mask(
            (mask > 0).astype(np.float32), pixel_um, off_um, na=min(self.specimen.microscope.objective.na, 1.0)
        )
        self.to(self.seconds + self.times.slm_s)
        self.command("project", light, seconds)
        self.set_power(light, power_mw)
        try:
            self.specimen.illuminate((self.y_um, self.x_um), name, seconds, shape=self.shape, pattern=pattern)
        finally:
            self.set_power(light, before)
        self.to(self.seconds + seconds)

    def _channels_of(self, light: str) -> list[str]:
        found = [name for name, lamp in self._lamp_of.items() if lamp == light]
        if not found:
            raise ControlError(f"found the light {light!r}, expected one of {', '.join(self.lamps)}: name one of them")
        return found

    def _known(self, channel: str) -> str:
        if channel not in self.specimen.channels:
            known = ", ".join(self.specimen.channels)
            raise ControlError(f"found the channel {channel!r}, expected one of {known}: name one of them")
        return channel

    def _turn(self, channel: str) -> None:
        if self.specimen.channels[channel].emission_nm != self.specimen.channels[self._wheel].emission_nm:
            self.command("turn", "wheel", channel)
            self.to(self.seconds + self.times.filter_s)
        self._wheel = channel

    def _index(self, channel: str) -> dict[str, int]:
        number = self.position.rpartition(" ")[2]
        place = {"p": int(number)} if number else {}
        return {"t": self._frames, **place, "c": list(self.specimen.channels).index(channel)}

    def _id(self, milliseconds: float) -> FrameId:
        if self._exposed_ms != milliseconds:  # another exposure opens a segment
            self._segment, self._seq, self._exposed_ms = self._segment + 1, 0, milliseconds
        self._seq += 1
        return FrameId("rehearsal", CAMERA, self._segment, self._seq - 1)
