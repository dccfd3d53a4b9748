"""A microscope with a controller at work, and what the bench saw of it."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from onscope.drivers import specimen
from onscope.runtime.feedback import Action, Controller, Done

WAIT_S = 60.0
"""As long as anything is waited for: far longer than it takes on a busy machine."""
HOME = (50.0, 50.0)
"""Where the stage stands at the beginning (x, y in um); the focus stands at 0."""


@dataclass(frozen=True)
class Exposed:
    """One exposure of the bench's journal: where the stages had been sent, and which lights were on."""

    x_um: float
    y_um: float
    z_um: float
    lights: frozenset[str]


class Driven(ABC):
    """A controller of a microscope whose bench keeps a journal."""

    bench: specimen.Bench
    controller: Controller

    @abstractmethod
    def drive(self, *actions: Action) -> list[Done]:
        """Have all of them applied, one after the other, and wait until all that they asked for is done."""

    @abstractmethod
    def frames_of(self, action: Action) -> int:
        """How many frames of an action have come."""

    @abstractmethod
    def begin(self) -> None:
        """Frames run from now on, until `finish`."""

    @abstractmethod
    def finish(self) -> None:
        """No frames any more; raises what ended them, if it was an error."""

    def exposures(self) -> list[Exposed]:
        """All exposures so far, in order."""
        return exposures(self.bench.journal)

    def place(self) -> tuple[float, float, float]:
        """Where the stages stood when all was done: at the last exposure, which is one of the routine."""
        last = self.exposures()[-1]
        return last.x_um, last.y_um, last.z_um

    def is_dark(self) -> bool:
        """Whether the shutter was closed last."""
        told = [one.verb for one in self.bench.journal if one.device == "Shutter"]
        return not told or told[-1] == "close"


def exposures(journal: Iterable[specimen.Command]) -> list[Exposed]:
    """Those of a journal, of a microscope that began at HOME."""
    (x, y), z = HOME, 0.0
    steps: list[float] = []
    lights: set[str] = set()
    found: list[Exposed] = []
    for one in journal:
        value = one.value
        if (one.device, one.verb) == ("XY", "move"):
            assert isinstance(value, tuple)
            x, y = value
        elif (one.device, one.verb) == ("Focus", "move"):
            assert isinstance(value, float)
            z = value
        elif one.device == "Focus" and one.verb in ("arm", "disarm"):
            assert isinstance(value, tuple)
            steps = list(value)
        elif one.verb in ("on", "off"):
            (lights.add if one.verb == "on" else lights.discard)(one.device)
        elif one.verb == "expose":
            if steps:
                z = steps.pop(0)
            found.append(Exposed(x, y, z, frozenset(lights)))
    return found


class Gauge:
    """Counts frames as they come; whoever waits for the next ones is woken."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.at_s: list[float] = []
        self._changed = threading.Condition()

    def came(self, name: str | None) -> None:
        with self._changed:
            self.names.append(name or "routine")
            self.at_s.append(time.monotonic())
            self._changed.notify_all()

    def wait(self, enough: Callable[[list[str]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.names), WAIT_S), self.names

    def routine(self) -> int:
        return self.names.count("routine")

    def order(self) -> list[str]:
        """Names of places as they follow each other, each run of equal ones once."""
        return [name for k, name in enumerate(self.names) if k == 0 or self.names[k - 1] != name]
