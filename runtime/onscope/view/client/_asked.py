"""What was asked for and is not answered yet."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .._errors import ViewError

MOST = 256
"""Questions that may be open; of more the oldest are given up."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an action: whether it was done (`ok`), in `words`, and what it gives (`more`: the name of a
    snapshot, the window from which on a number holds ...)."""

    ok: bool
    words: str
    more: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


class Asked:
    """Questions by their numbers; used by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._open: dict[int, Future[Done]] = {}

    def new(self) -> tuple[int, Future[Done]]:
        """A question's number, and what will hold its answer."""
        answer: Future[Done] = Future()
        with self._lock:
            self._number += 1
            self._open[self._number] = answer
            old = self._open.pop(next(iter(self._open))) if len(self._open) > MOST else None
            number = self._number
        if old is not None and old.set_running_or_notify_cancel():
            old.set_exception(ViewError(f"found more than {MOST} questions without an answer, expected fewer: wait"))
        return number, answer

    def answer(self, told: Mapping[str, Any]) -> None:
        """Hand over what a `done` says; one that nobody asked for is left."""
        number = told.get("id")
        with self._lock:
            answer = self._open.pop(number, None) if isinstance(number, int) else None
        if answer is not None and answer.set_running_or_notify_cancel():
            more = {name: value for name, value in told.items() if name not in ("type", "id", "ok", "words")}
            answer.set_result(Done(bool(told.get("ok")), str(told.get("words", "")), MappingProxyType(more)))

    def fail(self, number: int, error: Exception) -> None:
        """There will be no answer."""
        with self._lock:
            answer = self._open.pop(number, None)
        if answer is not None and answer.set_running_or_notify_cancel():
            answer.set_exception(error)

    def fail_all(self, error: Exception) -> None:
        """There will be no answers to what is open."""
        with self._lock:
            numbers = list(self._open)
        for number in numbers:
            self.fail(number, error)
