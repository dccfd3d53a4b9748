"""A driver's second face: actions in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from ._actions import Action
from ._limits import Limits


@dataclass(frozen=True, slots=True)
class Light:
    """One light while it shines: `power_mw` at the sample, spread over `area_um2`."""

    power_mw: float
    area_um2: float


@dataclass(frozen=True, slots=True)
class Setting:
    """How the microscope stands, as it was commanded; None: it has no such thing.

    `channel` is the preset that routine frames are taken with; `channels` the lights of every channel that is known, by
    name of channel and of light, which shine while a frame is exposed. `lights`: every light by name as it is set,
    shining or not: the gate takes the area from it that a projection's light is spread over. `lines`: the light (by
    name) that a line lets through, for those that do. Frames have pixels of `pixel_um`, and `shape` (y, x).
    """

    x_um: float | None = None
    y_um: float | None = None
    z_um: float | None = None
    exposure_ms: float | None = None
    interval_s: float | None = None
    channel: str | None = None
    channels: Mapping[str, Mapping[str, Light]] = field(default_factory=lambda: MappingProxyType({}))
    lights: Mapping[str, Light] = field(default_factory=lambda: MappingProxyType({}))
    lines: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    pixel_um: float | None = None
    shape: tuple[int, int] | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One call that the controller made to the hardware, at a time of the one clock."""

    at_ns: int
    verb: str
    device: str = ""
    value: object = None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action: the commands that were sent, in order, and when it began and was done (ns)."""

    began_ns: int
    done_ns: int
    commands: tuple[Command, ...] = ()


@runtime_checkable
class Controller(Protocol):
    """Carries actions out, after the gate. All methods but `safe` are called from one thread at a time."""

    def limits(self) -> Limits:
        """What the devices can do; the user tightens it."""
        ...

    def setting(self) -> Setting:
        """How the microscope stands; cheap: nothing is asked of the hardware."""
        ...

    def apply(self, action: Action) -> Done:
        """Carry it out; back when it is done, or when it stands in the acquisition's queue.

        Raises ControlError when the hardware refuses: what was commanded before stays, lights that it switched on are
        off again.
        """
        ...

    def safe(self) -> tuple[Command, ...]:
        """Shutters closed, lights and SLM off, sequences ended; from any thread, at any time; never raises."""
        ...
