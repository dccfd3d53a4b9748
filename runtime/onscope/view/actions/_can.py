"""What parts of a run may be able to do; what they are not, viewers are not offered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from onscope.runtime import Event


@runtime_checkable
class Arms(Protocol):
    """A feedback that may be armed, and set back to shadow mode, while it runs."""

    def arm(self) -> Any: ...
    def shadow(self) -> Any: ...


@runtime_checkable
class Pauses(Protocol):
    """A source whose frames can be held back for a while; any thread may call it."""

    paused: bool

    def pause(self) -> None: ...
    def resume(self) -> None: ...


@runtime_checkable
class PausesRoutine(Protocol):
    """A feedback that has the microscope take no routine frames for a while."""

    def pause(self) -> None: ...
    def unpause(self) -> None: ...


@runtime_checkable
class TunesRules(Protocol):
    """A feedback whose rules' thresholds may be changed while it runs; `tunable` tells them then."""

    def tune(self, rule: str, name: str, value: float) -> None: ...


@runtime_checkable
class Tunes(Protocol):
    """A runtime whose decoders' numbers may be changed while frames run."""

    @property
    def tunable(self) -> Sequence[Any]: ...
    def tune(self, stage: str, **settings: float) -> Any: ...


@runtime_checkable
class Swaps(Protocol):
    """A runtime whose networks may be exchanged while frames run."""

    def swap(self, stage: str, package: Any) -> Any: ...
    def tell(self, event: Event) -> None: ...
