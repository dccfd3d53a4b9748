"""A source whose microscope can be controlled: how the runtime, which knows no drivers, finds a controller."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, runtime_checkable

from .._controller import Controller
from ._hold import Heartbeat


@runtime_checkable
class Controlled(Protocol):
    """A Source that has a microscope behind it."""

    def control(self, calibration: Path | None = None) -> Controller:
        """The controller of the microscope, which steers this source's frames from now on.

        Called once, before `frames`. `calibration`: the file that says what its lights bring to the sample (None: what
        the driver knows by itself). Raises ControlError for a microscope that cannot be controlled, or a calibration
        that does not fit it.
        """
        ...


@runtime_checkable
class Beating(Protocol):
    """A Controller that may have a line to a hardware watchdog."""

    def heartbeat(self) -> AbstractContextManager[Heartbeat] | None:
        """What drives it while the context lasts (None: there is none). Raises ControlError when it does not answer."""
        ...
