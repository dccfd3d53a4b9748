"""A microscope over a specimen without devices, threads or clock: actions have their consequences at once."""

from __future__ import annotations

import math

from onscope.runtime import FrameSpec
from onscope.runtime.feedback import Action, Command, Done, Limits, Pause, Resume, SetInterval, Setting, Stop
from onscope.runtime.feedback.rehearse import Shot, Story
from onscope.specimen.scenarios import Scenario

from ._carry import carry
from ._lights import GROUP
from ._stand import CAMERA, Stand
from ._times import DeviceTimes

EXPOSURE_MS = (0.01, 10_000.0)
Z_UM = (-50.0, 350.0)
LONGEST_S = 86_400.0


class VirtualMicroscope:
    """A scenario's specimen under a microscope whose time is virtual: a `Rehearsal`, and so a Controller.

    It stands where the scenario's acquisition begins, on `channel` (None: its first), and takes a routine frame every
    `interval_s` (None: the scenario's) for `hours`. With `look=False` no pixel is rendered (all are 0): light
    falls and harms all the same. With `tell`, what is true of frames is known. `size`: rows and columns at most.
    Its time begins at `begin_ns`. A second of its time is a second of the sample's life. Raises ControlError for
    a channel that there is not.
    """

    acts = True

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        hours: float = 1.0,
        interval_s: float | None = None,
        channel: str | None = None,
        size: int | None = None,
        look: bool = True,
        tell: bool = True,
        times: DeviceTimes | None = None,
        begin_ns: int = 0,
    ) -> None:
        self.scenario = scenario
        rows, columns = (side if size is None else min(size, side) for side in scenario.acquisition.shape)
        self.stand = Stand(scenario, seed, (rows, columns), times or DeviceTimes(), look, tell, begin_ns)
        if channel is not None:
            self.stand.choose(GROUP, channel)
            self.stand.exposure_ms = self.stand.specimen.channels[channel].exposure_s * 1e3
            self.stand.z_um = self.stand.specimen.channels[channel].z_um
        self._interval_s = scenario.acquisition.interval_s if interval_s is None else interval_s
        self._end_s, self._due_s, self._last_s = hours * 3600.0, 0.0, 0.0
        self._paused_to_s: float | None = None
        self._stopped = False
        self._acted = 0

    @property
    def now_ns(self) -> int:
        return self.stand.now_ns

    @property
    def sample_s(self) -> float:
        return self.stand.sample_s

    @property
    def over(self) -> bool:
        return self._stopped or self.stand.seconds >= self._end_s

    def spec(self) -> FrameSpec:
        size, bits = self.stand.specimen.pixel_um, self.scenario.camera.bit_depth
        return FrameSpec(self.stand.shape, "uint16", camera=CAMERA, pixel_size_um=size, bit_depth=bits)

    def next(self) -> Shot | None:
        at_s = max(self._due_s, self.stand.seconds)
        if self._paused_to_s is not None:
            at_s = max(at_s, self._paused_to_s)
        if self._stopped or at_s >= self._end_s:
            if not self._stopped:
                self.stand.to(self._end_s)
            return None
        self._paused_to_s = None
        self.stand.to(at_s)
        self._last_s, self._due_s = at_s, at_s + self._interval_s
        return self.stand.expose(routine=True, keep=False)

    def taken(self) -> list[Shot]:
        shots, self.stand.taken = self.stand.taken, []
        return shots

    def wait(self, seconds: float) -> None:
        self.stand.to(self.stand.seconds + seconds)

    def story(self) -> Story | None:
        return self.stand.chronicle.story()

    def limits(self) -> Limits:
        extent_y, extent_x = self.stand.specimen.sample.extent_um
        return Limits(
            x_um=(0.0, extent_x),
            y_um=(0.0, extent_y),
            z_um=Z_UM,
            exposure_ms=EXPOSURE_MS,
            interval_s=(0.0, LONGEST_S),
            power_mw={name: lamp.most_mw for name, lamp in self.stand.lamps.items()},
            presets={GROUP: frozenset(self.stand.specimen.channels)},
        )

    def setting(self) -> Setting:
        stand = self.stand
        return Setting(
            x_um=stand.x_um,
            y_um=stand.y_um,
            z_um=stand.z_um,
            exposure_ms=stand.exposure_ms,
            interval_s=self._interval_s,
            channel=stand.channel,
            channels=stand.channels,
            lights=stand.lights,
            pixel_um=stand.specimen.pixel_um,
            shape=stand.shape,
            paused=self._paused_to_s is not None,
        )

    def apply(self, action: Action) -> Done:
        """Carry it out: time goes by as devices take it, and light harms. Raises ControlError for what there is not."""
        began, self.stand.commands = self.now_ns, []
        if isinstance(action, SetInterval):
            self._interval_s = action.interval_s
            self._due_s = self._last_s + action.interval_s
            self.stand.command("interval_s", "routine", action.interval_s)
        elif isinstance(action, Pause):
            long = math.inf if action.duration_s is None else action.duration_s
            self._paused_to_s = self.stand.seconds + long
            self.stand.command("pause", "routine", action.duration_s)
        elif isinstance(action, Resume):
            self._paused_to_s = None
            self.stand.command("resume", "routine")
        elif isinstance(action, Stop):
            self._stopped = True
            self.stand.command("stop", "routine", action.words)
        else:
            self._acted += 1
            self.stand.position = f"{action.kind} {self._acted}"
            try:
                carry(self.stand, action)
            finally:
                self.stand.position = ""
        return Done(began, self.now_ns, tuple(self.stand.commands))

    def safe(self) -> tuple[Command, ...]:
        self._stopped, self.stand.commands = True, []
        self.stand.command("stop", "routine")
        return tuple(self.stand.commands)
