"""A scenario's lights, channels and limits, by the names that its mounted microscope has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from onscope.runtime.feedback import Light
from onscope.specimen.scenarios import Scenario

GROUP = "Channel"
"""The configuration group of the channels."""


@dataclass(frozen=True, slots=True)
class Lamp:
    """A light: its name, the most that it gives (mW at the sample), the side of the square that it lights (um)."""

    name: str
    most_mw: float
    field_um: float

    def at(self, power_mw: float) -> Light:
        """As the gate reckons with it."""
        return Light(power_mw, self.field_um**2)


def lamps(scenario: Scenario) -> tuple[Mapping[str, Lamp], Mapping[str, str]]:
    """All lights by name, and the light of each channel, by the channel's name.

    Names and highest powers are those of `onscope.drivers.specimen`: one light for channels of one wavelength, field
    and evenness.
    """
    found: dict[str, Lamp] = {}
    kinds: dict[str, tuple[float, float]] = {}
    of: dict[str, str] = {}
    for name, told in scenario.channels.items():
        for each, channel in told.channels(name).items():
            light = channel.illumination
            label = f"{'Lamp' if told.dye is None else 'Laser'} {light.wavelength_nm:g}{each.removeprefix(name)}"
            while label in kinds and kinds[label] != (light.field_um, light.unevenness):
                label += "'"
            most = max(100.0 if told.dye else 1.0, 2 * light.power_mw)
            if label in found:
                most = max(most, found[label].most_mw)
            found[label], kinds[label] = Lamp(label, most, light.field_um), (light.field_um, light.unevenness)
            of[each] = label
    return MappingProxyType(found), MappingProxyType(of)
