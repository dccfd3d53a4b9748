"""Changes while frames run: which frame is the first that one holds for, and the event that says so."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ._events import Event, Kind, Tell
from ._frame import FrameId
from ._lane import Window
from ._route import Route

REMEMBERED = 64
"""Changes that a worker's death may still have begin earlier."""


@dataclass(eq=False)
class Change:
    """A stage that is another one for all windows that are sent from now on; `first` is whose window came first."""

    kind: Kind
    stage: str
    words: str
    tell: Tell
    first: FrameId | None = None
    window: int = 0

    def concerns(self, route: Route, window: Window) -> bool:
        """Whether the stage runs on that window; "" stands for all."""
        if not self.stage:
            return True
        ran = enumerate(route.stages)
        return any(
            stage.name == self.stage and (window.chosen is None or number in window.chosen) for number, stage in ran
        )


@dataclass(eq=False)
class Changes:
    """All of a run; its methods are called with the account's lock held."""

    pending: list[Change] = field(default_factory=list)
    """Those that no window was sent after yet."""
    script: Callable[[FrameId], bool] | None = None
    """Of a replay: makes the changes that a window needs; whether it may be sent now."""
    _begun: deque[Change] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def ready_for(self, route: Route) -> bool:
        """Whether the next window of a route may be sent."""
        return self.script is None or self.script((window := route.lane.waiting[0]).frames[window.target].id)

    def sent(self, route: Route, window: Window) -> None:
        """A window is on its way: what was changed before holds for it."""
        for change in [each for each in self.pending if each.concerns(route, window)]:
            self.pending.remove(change)
            self._begun.append(change)
            change.first, change.window = window.frames[window.target].id, window.number
            change.tell(Event(change.kind, f"{change.words}, from {_named(change.first)} on"))

    def again(self, windows: Iterable[tuple[Route, Window]]) -> None:
        """Windows are sent once more, to a worker that knows all changes: some begin earlier than was told."""
        for route, window in windows:
            for change in [each for each in self._begun if each.window > window.number]:
                if change.concerns(route, window):
                    self._begun.remove(change)
                    self.pending.append(change)


def _named(frame: FrameId) -> str:
    camera = f" of {frame.camera}" if frame.camera else ""
    return f"frame {frame.seq} of segment {frame.segment}{camera}"
