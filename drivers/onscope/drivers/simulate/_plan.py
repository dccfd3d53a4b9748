"""What is to be simulated, and what went wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from onscope.runtime import OnscopeError
from onscope.specimen.scenarios import Scenario


class SimulateError(OnscopeError):
    """A data set that cannot be made."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`frames` time points, `interval_s` apart, of some `channels` of `scenario`; images of `shape` (rows, columns).

    Each channel is a stack of `planes`, `step_um` apart, around its focal plane; 1: that plane alone.
    """

    scenario: Scenario
    seed: int
    frames: int
    interval_s: float
    shape: tuple[int, int]
    channels: tuple[str, ...]
    planes: int = 1
    step_um: float = 1.0

    @property
    def offsets_um(self) -> tuple[float, ...]:
        """Of the planes from the channel's own focal plane, in um, from the lowest to the highest."""
        return tuple((n - (self.planes - 1) / 2) * self.step_um for n in range(self.planes))

    @property
    def middle(self) -> int:
        """The number of the plane that is nearest to the channel's own."""
        return self.planes // 2

    @property
    def axes(self) -> str:
        """Of what is taken at one time point."""
        return "czyx" if self.planes > 1 else "cyx"

    @property
    def element(self) -> tuple[int, ...]:
        """The shape of what is taken at one time point, in the order of `axes`."""
        stack = (self.planes,) if self.planes > 1 else ()
        return (len(self.channels), *stack, *self.shape)


def parsed_shape(text: str) -> tuple[int, int]:
    """`ROWSxCOLUMNS`, or one number for both. Raises SimulateError for anything else, or less than 16."""
    match = re.fullmatch(r"(\d{1,6})(?:[xX](\d{1,6}))?", text.strip())
    shape = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if min(shape) < 16:
        raise SimulateError(
            f"found the shape {text!r}, expected ROWSxCOLUMNS of at least 16 each: 512x768, say, or 512"
        )
    return shape


def chosen_channels(scenario: Scenario, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """All raw images of the channels that are wanted (none named: of all), in the scenario's order.

    Raises SimulateError for one that the scenario has not.
    """
    known = {name: tuple(lit.channels(name)) for name, lit in scenario.channels.items()}
    for name in wanted:
        if name not in known:
            raise SimulateError(
                f"found the channel {name!r}, expected one of {', '.join(known)} in {scenario.name}: choose one of them"
            )
    return tuple(each for name, several in known.items() if name in wanted or not wanted for each in several)
