"""What rules are rehearsed on: a microscope whose time is not the clock's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ..._frame import Frame, FrameSpec
from .._controller import Controller
from ._truth import Story, TrueFrame


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame, what is true of it (None: unknown), and whether it is one of the routine, or an action took it."""

    frame: Frame
    truth: TrueFrame | None = None
    routine: bool = True


@runtime_checkable
class Rehearsal(Controller, Protocol):
    """A microscope that is not there, or one that was: a Controller with a time of its own, in nanoseconds.

    One thread. The same seed, rules and order of calls give the same frames.
    """

    acts: bool
    """Whether what is applied changes the frames that come: not those of a recording."""

    @property
    def now_ns(self) -> int:
        """Its time; it goes on by `next`, `wait` and by what is applied."""
        ...

    @property
    def sample_s(self) -> float:
        """The sample's age now in seconds (without a sample: `now_ns` in seconds)."""
        ...

    @property
    def over(self) -> bool:
        """Whether its time is up, or it was stopped."""
        ...

    def spec(self) -> FrameSpec:
        """What all frames look like."""
        ...

    def next(self) -> Shot | None:
        """The next routine frame, at its time; None: it is over, or was stopped."""
        ...

    def taken(self) -> list[Shot]:
        """The frames that actions have taken since the last call."""
        ...

    def wait(self, seconds: float) -> None:
        """Time goes by: results need some."""
        ...

    def story(self) -> Story | None:
        """What truly happened so far; None: not known."""
        ...
