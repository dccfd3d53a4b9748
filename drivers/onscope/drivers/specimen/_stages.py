"""The XY stage and the focus drive as devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymmcore_plus.core import FocusDirection
from pymmcore_plus.experimental.unicore import StageDevice, XYStageDevice

from ._bench import Bench
from ._device import OnBench

STEPS = 1024
"""Positions that the focus controller holds for triggered stacks: a usual size of a piezo controller's table."""


class XYStage(OnBench, XYStageDevice):
    """Motorised XY stage: x along the camera's columns, y along its rows, in um.

    Moving it to larger x and y moves the image to smaller columns and rows. It is busy until it has settled.
    """

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.mounted(bench)
        self._origin = (0.0, 0.0)

    def busy(self) -> bool:
        return self.bench.clock.is_before(self.bench.ready_s(z=False))

    def set_position_um(self, x: float, y: float) -> None:
        self._go(float(x) + self._origin[0], float(y) + self._origin[1])

    def get_position_um(self) -> tuple[float, float]:
        x, y, _ = self.bench.xyz_um()
        return x - self._origin[0], y - self._origin[1]

    def home(self) -> None:
        """To the corner where the sample begins."""
        self._go(0.0, 0.0)

    def stop(self) -> None:
        self.bench.halt(self.get_label(), z=False)
        self._tell(*self.bench.xyz_um()[:2])

    def set_origin_x(self) -> None:
        self._origin = (self.bench.xyz_um()[0], self._origin[1])

    def set_origin_y(self) -> None:
        self._origin = (self._origin[0], self.bench.xyz_um()[1])

    def set_adapter_origin_um(self, x: float, y: float) -> None:
        """From now on the place where it is bears these coordinates."""
        here = self.bench.xyz_um()
        self._origin = (here[0] - float(x), here[1] - float(y))

    def _go(self, x_um: float, y_um: float) -> None:
        self.bench.move_xy(self.get_label(), x_um, y_um)
        self._tell(x_um, y_um)

    def _tell(self, x_um: float, y_um: float) -> None:
        """Where it goes, or stands, to the core's listeners."""
        x, y = x_um - self._origin[0], y_um - self._origin[1]
        self.announce("XYStagePositionChanged", x, y)


class FocusDrive(OnBench, StageDevice):
    """Piezo focus: the focal plane above the coverslip in um. Larger values bring the objective nearer to the sample.

    It can follow the camera's trigger line: `startStageSequence` goes to the first of the loaded positions, and the end
    of each exposure of a camera's sequence to the next.
    """

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.mounted(bench)
        self._origin = 0.0
        self._steps: tuple[float, ...] = ()

    def busy(self) -> bool:
        return self.bench.clock.is_before(self.bench.ready_s(z=True))

    def set_position_um(self, val: float) -> None:
        self._go(float(val) + self._origin)

    def get_position_um(self) -> float:
        return self.bench.xyz_um()[2] - self._origin

    def get_focus_direction(self) -> FocusDirection:
        return FocusDirection.TowardSample

    def set_focus_direction(self, sign: int) -> None:
        """Nothing to set: the direction is known."""

    def home(self) -> None:
        """To the coverslip."""
        self._go(0.0)

    def stop(self) -> None:
        self.bench.halt(self.get_label(), z=True)
        self._tell(self.bench.xyz_um()[2])

    def set_origin(self) -> None:
        self._origin = self.bench.xyz_um()[2]

    def set_adapter_origin_um(self, newZUm: float) -> None:
        """From now on the place where it is bears this coordinate."""
        self._origin = self.bench.xyz_um()[2] - float(newZUm)

    def _go(self, z_um: float) -> None:
        self.bench.move_z(self.get_label(), z_um)
        self._tell(z_um)

    def _tell(self, z_um: float) -> None:
        self.announce("stagePositionChanged", z_um - self._origin)

    def get_sequence_max_length(self) -> int:
        return STEPS

    def send_sequence(self, sequence: Sequence[Any]) -> None:
        self._steps = tuple(float(step) + self._origin for step in sequence)

    def start_sequence(self) -> None:
        self.bench.arm_z(self.get_label(), self._steps)

    def stop_sequence(self) -> None:
        self.bench.arm_z(self.get_label(), ())
