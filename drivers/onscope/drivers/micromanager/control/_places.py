"""Where the stages were commanded to be, and when: frames are told where they were taken."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from onscope.runtime import ControlError, now_ns

from ._hands import Hands

REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Place:
    """Of the stages, in um; None: there is no such stage."""

    x_um: float | None = None
    y_um: float | None = None
    z_um: float | None = None

    @property
    def xyz(self) -> tuple[float, float, float] | None:
        """(x, y, z) in um as frames carry it; None without an XY stage."""
        if self.x_um is None or self.y_um is None:
            return None
        return self.x_um, self.y_um, self.z_um or 0.0


class Places:
    """The stages as they were commanded; read from the devices once, when it is made.

    Moves are commanded by one thread at a time, `at` is asked by the one that takes frames.
    """

    def __init__(self, hands: Hands) -> None:
        core = self._core = hands.core
        self._hands = hands
        self._xy, self._z = str(core.get_xy_stage_device()), str(core.get_focus_device())
        self.here = Place(
            float(core.get_x_position()) if self._xy else None,
            float(core.get_y_position()) if self._xy else None,
            float(core.get_position()) if self._z else None,
        )
        self._past: deque[tuple[int, Place]] = deque([(0, self.here)], REMEMBERED)

    def at(self, when_ns: int) -> Place:
        """Where they were commanded to be at that time; the oldest that is remembered, before."""
        past = tuple(self._past)
        return next((place for at_ns, place in reversed(past) if at_ns <= when_ns), past[0][1])

    def far(self, x_um: float, y_um: float) -> float:
        """How far it is to there, in um."""
        here = self.here
        return 0.0 if here.x_um is None or here.y_um is None else math.hypot(x_um - here.x_um, y_um - here.y_um)

    def stand(self, x_um: float | None, y_um: float | None, z_um: float | None) -> None:
        """Someone else has sent the stages there; None: where they were."""
        was = self.here
        self.here = Place(
            was.x_um if x_um is None else x_um, was.y_um if y_um is None else y_um, was.z_um if z_um is None else z_um
        )
        self._past.append((now_ns(), self.here))

    def go(self, x_um: float, y_um: float, *, calms: bool = False) -> None:
        """The XY stage goes there; back when it has arrived. Raises ControlError when it does not, or is not there."""
        x, y = float(x_um), float(y_um)
        there = replace(self.here, x_um=x, y_um=y)
        self._move("XY stage", self._xy, (x, y), lambda: self._core.set_xy_position(x, y), there, calms)

    def focus(self, z_um: float, *, calms: bool = False) -> None:
        """The same of the focus."""
        z = float(z_um)
        there = replace(self.here, z_um=z)
        self._move("focus drive", self._z, z, lambda: self._core.set_position(z), there, calms)

    def _move(
        self, what: str, device: str, value: object, command: Callable[[], None], there: Place, calms: bool
    ) -> None:
        if not device:
            raise ControlError(f"found no {what}, expected one: choose it in Micro-Manager's configuration")
        self._hands.send("move", device, value, command, calms=calms)
        self.here = there
        self._past.append((now_ns(), there))
        self._hands.wait(device, calms=calms)
