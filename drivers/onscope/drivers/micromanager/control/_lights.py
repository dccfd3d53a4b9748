"""Channels and lights: what shines in which channel, how strongly, and how a light goes on and off safely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType

from onscope.runtime import ControlError
from onscope.runtime.feedback import Light

from ._calibration import Calibration, LightOutput
from ._hands import Hands, calmly


class Lights:
    """The lights of a calibration as they were commanded; one thread at a time, but for `setting`.

    A channel's preset switches its lights; the shutter, which Micro-Manager opens while it exposes, lets them through.
    """

    def __init__(self, hands: Hands, calibration: Calibration) -> None:
        self._hands, self._calibration = hands, calibration
        core = hands.core
        self.shutter = calibration.shutter or str(core.get_shutter_device())
        self.group = calibration.channel_group or str(core.get_channel_group())
        self._presets: dict[str, str] = {}
        with suppress(Exception):  # a core without groups
            for group in core.get_available_config_groups():
                self._presets[str(group)] = str(core.get_current_config(str(group)))
        self._power_mw: dict[str, float] = {}

    @property
    def channel(self) -> str | None:
        """The preset that was chosen last in the group of channels; None: none is known."""
        return self._presets.get(self.group) or None

    def stand(self, channel: str) -> None:
        """Someone else has chosen this channel."""
        self._presets[self.group] = channel

    def channels(self) -> Mapping[str, Mapping[str, Light]]:
        """The lights of every channel, as they shine while it exposes."""
        told = self._calibration.channels.items()
        return MappingProxyType(
            {
                channel: MappingProxyType({name: self._as_set(name, power) for name, power in lights.items()})
                for channel, lights in told
            }
        )

    def all(self) -> Mapping[str, Light]:
        """Every light as it is set, shining or not."""
        own = self._of_channel
        return MappingProxyType({name: self._as_set(name, own.get(name, 0.0)) for name in self._calibration.lights})

    def choose(self, group: str, preset: str) -> None:
        """Set a preset, and wait for it; lights whose power was commanded keep it."""
        hands, core = self._hands, self._hands.core
        hands.send("preset", group, preset, lambda: core.set_config(group, preset), lights=True)
        hands.send("wait", group, preset, lambda: core.wait_for_config(group, preset))
        self._presets[group] = preset
        if group == self.group:
            for name in self._of_channel:
                if name in self._power_mw:
                    self._power(self._light(name), self._power_mw[name])

    def set_power(self, name: str, power_mw: float) -> None:
        """Milliwatts at the sample from now on, in every channel that the light is of; set when it shines next."""
        light = self._light(name)
        if name in self._of_channel:
            self._power(light, power_mw)
        self._power_mw[name] = float(power_mw)

    @contextmanager
    def dark(self) -> Iterator[None]:
        """Shutter closed and the channel's lights off; they are on again, behind it, at the end of the block."""
        names = self._of_channel or tuple(self._calibration.lights)
        with calmly(*(lambda name=name: self._switch(name, True) for name in self._of_channel)):
            self._hands.shutter(self.shutter, False)
            for name in names:
                self._switch(name, False)
            yield

    @contextmanager
    def shines(self, name: str, power_mw: float) -> Iterator[None]:
        """One light alone, from power and shutter to switch; off the other way round on any end. Within `dark`."""
        light, hands = self._light(name), self._hands
        own = self._of_channel.get(name)
        after_mw = 0.0 if own is None else self._power_mw.get(name, own)
        with calmly(
            lambda: self._switch(name, False),
            lambda: hands.shutter(self.shutter, False),
            lambda: self._power(light, after_mw if light.switch or self.shutter else 0.0, calms=True),
        ):
            self._power(light, power_mw)
            hands.shutter(self.shutter, True)
            self._switch(name, True)
            yield

    @property
    def _of_channel(self) -> Mapping[str, float]:
        return self._calibration.channels.get(self.channel or "", {})

    def _light(self, name: str) -> LightOutput:
        light = self._calibration.lights.get(name)
        if light is None:
            known = ", ".join(self._calibration.lights) or "none"
            raise ControlError(f"found the light {name!r}, expected one of {known}: name it in the calibration")
        return light

    def _as_set(self, name: str, power_mw: float) -> Light:
        return Light(self._power_mw.get(name, power_mw), self._area(self._calibration.lights[name]))

    def _area(self, light: LightOutput) -> float:
        areas = light.areas_um2
        return next((areas[one] for one in self._presets.values() if one in areas), areas.get("", float("nan")))

    def _power(self, light: LightOutput, power_mw: float, *, calms: bool = False) -> None:
        self._hands.put(light.device, light.property, float(power_mw) / light.mw_per_unit, calms=calms)

    def _switch(self, name: str, on: bool) -> None:
        switch = self._light(name).switch
        if switch is not None:
            self._hands.turn(switch, on)
