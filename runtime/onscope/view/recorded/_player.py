"""Plays what was recorded: what the view is given in a runtime's place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from onscope.runtime import Admission, Event, OnscopeError, Result, SourceError

from ._account import Account
from ._queue import Newest
from ._shown import ShownPipeline, ShownStage

MOST_FPS = 1000.0
LONGEST_S = 10.0
"""Gaps between recorded frames are played at most so long."""
CLOSING_S = 5.0


class Played(Protocol):
    """Frames with what came of them, by number: those of a recording, or of other stored images."""

    @property
    def stages(self) -> tuple[ShownStage, ...]: ...
    @property
    def providers(self) -> dict[str, str]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, number: int) -> Result: ...
    def seconds(self, number: int) -> float: ...


class Player:
    """Shows frame after frame of `played` while the block lasts; begins at the first one and stays there.

    `seek`, `play` and `subscribe` may be called from any thread. `tell` is told of what cannot be read.
    """

    def __init__(
        self, played: Played, folder: Path | None = None, tell: Callable[[Event], object] = lambda event: None
    ) -> None:
        self.pipeline = ShownPipeline(played.stages)
        self.ledger = Account(folder)
        self.providers = played.providers
        self.shown: Result | None = None
        """The result that is shown now."""
        self._played, self._tell = played, tell
        self._changed = threading.Condition()
        self._wanted: int | None = 0
        """The frame to go to; None: as `_fps` says."""
        self._at, self._fps = 0, 0.0
        self._recorded_pace = self._closed = False
        self._subscriptions: list[Newest] = []
        self._thread = threading.Thread(target=self._run, name="onscope-player", daemon=True)

    def __len__(self) -> int:
        return len(self._played)

    def seek(self, number: int) -> None:
        """Show frame `number`, and stay there. Raises SourceError when there is none."""
        if not 0 <= number < len(self):
            raise SourceError(f"found frame {number}, expected 0 to {len(self) - 1}: that is all there are")
        with self._changed:
            self._wanted, self._fps, self._recorded_pace = number, 0.0, False
            self._changed.notify_all()

    def play(self, fps: float | None) -> None:
        """Go on from here, `fps` frames per second (None: as they were recorded; 0: stay); at the end: from the
        first one. Raises SourceError for other numbers."""
        if fps is not None and not 0 <= fps <= MOST_FPS:
            raise SourceError(f"found {fps} frames per second, expected 0 (stay) to {MOST_FPS:g}")
        with self._changed:
            self._fps, self._recorded_pace = fps or 0.0, fps is None
            if self._plays and self._at >= len(self) - 1:
                self._wanted = 0
            self._changed.notify_all()

    def status(self) -> dict[str, object]:
        """Where it is, for the view's status."""
        fps = None if self._recorded_pace else self._fps
        return {"play": {"frame": self._at, "frames": len(self), "fps": fps}, "paused": not self._plays}

    @property
    def queue(self) -> tuple[int, int]:
        """Nothing waits, and nothing is in work."""
        return 0, 0

    def subscribe(self, admission: Admission | None = None) -> Newest:
        """The newest frame that is shown, from the present one on; `admission` is always to keep the newest."""
        with self._changed:
            made = Newest(self._forget)
            self._subscriptions.append(made)
            if self._closed:
                made.close()
            elif self.shown is not None:
                made.offer(self.shown)
        return made

    def tell(self, event: Event) -> None:
        """Have it told where the rest is told."""
        self._tell(event)

    @property
    def _plays(self) -> bool:
        return self._fps > 0 or self._recorded_pace

    def _forget(self, one: Newest) -> None:
        with self._changed:
            if one in self._subscriptions:
                self._subscriptions.remove(one)

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._wanted is not None or self._plays)
                while self._plays and self._wanted is None and not self._closed and time.monotonic() < due:
                    self._changed.wait(due - time.monotonic())
                if self._closed:
                    return
                if not self._plays and self._wanted is None:
                    continue
                number = self._at + 1 if self._wanted is None else self._wanted
                self._wanted = None
                if number >= len(self):
                    self._fps, self._recorded_pace = 0.0, False
                    continue
            began = time.monotonic()
            self._show(number)
            due = (due if 0 <= began - due < 1 else began) + self._gap_s(number)

    def _gap_s(self, number: int) -> float:
        """Seconds until the next frame is due."""
        if not self._recorded_pace:
            return 1 / self._fps if self._fps else 0.0
        if number + 1 >= len(self):
            return 0.0
        return min(LONGEST_S, max(1 / MOST_FPS, self._played.seconds(number + 1) - self._played.seconds(number)))

    def _show(self, number: int) -> None:
        try:
            result = self._played[number]
        except Exception as error:  # whatever is wrong with one, the others can be shown
            self._at = number
            words = str(error) if isinstance(error, OnscopeError) else f"frame {number} cannot be read: {error!r}"
            self._tell(Event("warning", words))
            return
        with self._changed:
            self._at, self.shown = number, result
            self.ledger.submitted += 1
            subscriptions = list(self._subscriptions)
        for each in subscriptions:
            each.offer(result)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            subscriptions = list(self._subscriptions)
        for each in subscriptions:
            each.close()
        self._thread.join(CLOSING_S)
