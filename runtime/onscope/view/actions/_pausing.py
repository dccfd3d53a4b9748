"""The actions `pause` and `resume`: of the source where it can, else of the feedback's routine frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._can import Pauses, PausesRoutine


class Pausing:
    """`before` is called before it pauses: nothing new will come then. `able`: whether the run can pause at all."""

    def __init__(self, source: object, feedback: object, before: Callable[[], object] | None = None) -> None:
        self._source = source if isinstance(source, Pauses) else None
        self._feedback = feedback if isinstance(feedback, PausesRoutine) else None
        self._before = before
        self._asked = False

    @property
    def able(self) -> bool:
        return self._source is not None or self._feedback is not None

    @property
    def paused(self) -> bool:
        """Whether it waits: as the source says, or as viewers have asked the feedback for."""
        return self._asked if self._source is None else self._source.paused

    def pause(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Raises ControlError where the feedback's gate or the microscope refuses."""
        if self._before is not None and not self.paused:
            self._before()
        if self._source is not None:
            self._source.pause()
        elif self._feedback is not None:
            self._feedback.pause()
        self._asked = True
        return {"words": "paused"}

    def resume(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Raises ControlError as `pause` does."""
        if self._source is not None:
            self._source.resume()
        elif self._feedback is not None:
            self._feedback.unpause()
        self._asked = False
        return {"words": "goes on"}

    def let_end(self) -> None:
        """A source that waits cannot end."""
        if self._source is not None:
            self._source.resume()
