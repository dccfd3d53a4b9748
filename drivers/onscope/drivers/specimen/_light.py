"""Light sources and the shutter before them: what shines, from when on, how strongly."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ._errors import DeviceError
from ._hardware import Hardware, Objective
from ._scene import Beam


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that is on or off since `since_s`, and was `before` until then."""

    on: bool = False
    since_s: float = -math.inf
    before: bool = False

    def on_at(self, time_s: float) -> bool:
        """Whether it is on at a time of the clock."""
        return self.on if time_s >= self.since_s else self.before

    def on_between(self, begin_s: float, end_s: float) -> tuple[float, float]:
        """The part of an interval during which it is on, as (from, to); to = from when there is none."""
        turn_s = min(max(self.since_s, begin_s), end_s)
        if self.on:
            return (begin_s if self.before else turn_s), end_s
        return begin_s, (turn_s if self.before else begin_s)


class Lights:
    """The sources and the shutter that all of them share; guarded by the bench's lock."""

    def __init__(self, hardware: Hardware) -> None:
        self._sources = {source.label: source for source in hardware.lights}
        self._switches = {label: Switch() for label in self._sources}
        self._power_mw = dict.fromkeys(self._sources, 0.0)
        self._shutter = Switch()

    @property
    def shutter_open(self) -> bool:
        """What the shutter was told last."""
        return self._shutter.on

    def is_on(self, source: str) -> bool:
        return self._switches[source].on

    def power_mw(self, source: str) -> float:
        return self._power_mw[source]

    def open_shutter(self, opened: bool, now_s: float, done_s: float) -> float:
        """Command it at `now_s`; it does so at `done_s`, which is returned; at once when it stands so already."""
        if opened == self._shutter.on:
            return max(self._shutter.since_s, now_s)
        self._shutter = Switch(opened, done_s, self._shutter.on_at(now_s))
        return done_s

    def switch(self, source: str, on: bool, now_s: float) -> None:
        if on != self._switches[source].on:
            self._switches[source] = Switch(on, now_s, not on)

    def check_power(self, source: str, power_mw: float) -> None:
        """Raises DeviceError for a power that the source cannot give."""
        most = self._sources[source].max_power_mw
        if not 0 <= power_mw <= most:
            raise DeviceError(f"found {power_mw:g} mW for {source}, expected 0 to {most:g}: choose a power it can give")

    def set_power(self, source: str, power_mw: float) -> None:
        self._power_mw[source] = power_mw

    def beams(self, objective: Objective, begin_s: float, exposure_s: float) -> tuple[Beam, ...]:
        """What reaches the sample through the shutter in an exposure; a source that gives no light is left out."""
        end_s = begin_s + exposure_s
        open_s, close_s = self._shutter.on_between(begin_s, end_s)
        found = []
        for label, source in self._sources.items():
            on_s, off_s = self._switches[label].on_between(begin_s, end_s)
            shines_s = min(close_s, off_s) - max(open_s, on_s)
            if shines_s > 0 and self._power_mw[label] > 0:
                area_um2 = objective.field_um2 if source.field_um is None else source.field_um**2
                found.append(Beam(source, self._power_mw[label], area_um2, shines_s))
        return tuple(found)

    def turns_between(self, begin_s: float, end_s: float) -> bool:
        """Whether the shutter or a source goes on or off in this interval."""
        return any(begin_s < one.since_s <= end_s for one in (self._shutter, *self._switches.values()))
