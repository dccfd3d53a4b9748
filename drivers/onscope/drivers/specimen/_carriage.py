"""The XY stage and the focus: where they are, where they go, and what a trigger line does to the focus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ._errors import DeviceError
from ._hardware import Axis, Hardware
from ._motion import Move, at_rest


class Carriage:
    """Three axes; guarded by the bench's lock. The XY stage starts in the middle of `extent_um` (y, x), the focus at 0.

    The sample's holder ends the ways in x and y where the sample ends.
    """

    def __init__(self, hardware: Hardware, extent_um: tuple[float, float]) -> None:
        low, high = hardware.xy.limits_um
        height, width = extent_um
        self._y = at_rest(replace(hardware.xy, limits_um=(low, min(high, height))), height / 2)
        self._x = at_rest(replace(hardware.xy, limits_um=(low, min(high, width))), width / 2)
        self._z = at_rest(hardware.z, 0.0)
        self._steps: tuple[float, ...] = ()
        self._next = 0

    def at(self, time_s: float) -> tuple[float, float, float]:
        """(x, y, z) in um at a time of the clock."""
        return self._x.at(time_s), self._y.at(time_s), self._z.at(time_s)

    @property
    def xy_ready_s(self) -> float:
        """When x and y have arrived."""
        return max(self._x.arrives_s, self._y.arrives_s)

    @property
    def z_ready_s(self) -> float:
        """When the focus has arrived."""
        return self._z.arrives_s

    def check_xy(self, device: str, x_um: float, y_um: float) -> None:
        """Raises DeviceError for a place outside the limits."""
        _check(device, "x", self._x.axis, x_um)
        _check(device, "y", self._y.axis, y_um)

    def check_z(self, device: str, z_um: float) -> None:
        """The same for the focus."""
        _check(device, "z", self._z.axis, z_um)

    def move_xy(self, x_um: float, y_um: float, now_s: float) -> None:
        """Both axes set off at once, from wherever they are."""
        self._x = Move(self._x.axis, self._x.at(now_s), x_um, now_s)
        self._y = Move(self._y.axis, self._y.at(now_s), y_um, now_s)

    def move_z(self, z_um: float, now_s: float) -> None:
        """The focus sets off, from wherever it is."""
        self._z = Move(self._z.axis, self._z.at(now_s), z_um, now_s)

    def halt_xy(self, now_s: float) -> None:
        """They stand where they are."""
        self._x, self._y = at_rest(self._x.axis, self._x.at(now_s)), at_rest(self._y.axis, self._y.at(now_s))

    def halt_z(self, now_s: float) -> None:
        """It stands where it is."""
        self._z = at_rest(self._z.axis, self._z.at(now_s))

    def arm_z(self, steps_um: Sequence[float], now_s: float) -> None:
        """Go to the first of the steps, and to the next at each trigger, round and round; none: triggers do nothing."""
        self._steps, self._next = tuple(steps_um), 1
        if self._steps:
            self.move_z(self._steps[0], now_s)

    def trigger(self, at_s: float) -> None:
        """The camera's line says, at `at_s`, that an exposure has ended."""
        if self._steps:
            self.move_z(self._steps[self._next % len(self._steps)], at_s)
            self._next += 1


def _check(device: str, name: str, axis: Axis, to_um: float) -> None:
    low, high = axis.limits_um
    if not low <= to_um <= high:
        raise DeviceError(
            f"found {name} = {to_um:g} um for {device}, expected {low:g} to {high:g}: stay within the stage's limits"
        )
