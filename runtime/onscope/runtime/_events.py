"""What the user must be told while frames run: the worker died, it is back, a hook met an error."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Literal

from ._clock import now_ns

Kind = Literal[
    "preparing",
    "view",
    "ready",
    "segment",
    "worker died",
    "worker back",
    "worker gone",
    "provider lost",
    "provider back",
    "refused",
    "warning",
    "hook error",
    "disk",
    "recorder died",
    "recorder back",
    "recorder gone",
    "recording ended",
    "feedback",
    "safe state",
    "shadow mode",
    "tuned",
    "swapped",
    "degraded",
    "restored",
]
BAD: frozenset[Kind] = frozenset(
    {
        "worker died",
        "worker gone",
        "provider lost",
        "refused",
        "warning",
        "hook error",
        "recorder died",
        "recorder gone",
        "recording ended",
        "safe state",
        "shadow mode",
        "degraded",
    }
)

log = logging.getLogger("onscope")


@dataclass(frozen=True, slots=True)
class Event:
    """One sentence for the user, its kind and its moment (monotonic ns); for logs the camera it is of, and numbers."""

    kind: Kind
    message: str
    at_ns: int = field(default_factory=now_ns)
    camera: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def bad(self) -> bool:
        """Whether it is bad news: something was lost, refused or has to be looked after."""
        return self.kind in BAD


Tell = Callable[[Event], object]


def to_log(event: Event) -> None:
    """The default: bad news as warnings, which Python prints unless told otherwise, the rest as information."""
    log.log(logging.WARNING if event.bad else logging.INFO, "%s: %s", event.kind, event.message, extra={"event": event})


class Warner:
    """Tells each warning once: what is odd about one frame, or one lane, is so about the next ones too."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told: set[str] = set()

    def __call__(self, warnings: Iterable[str]) -> None:
        for text in warnings:
            if text not in self._told:
                self._told.add(text)
                self._tell(Event("warning", text))


class Teller:
    """Calls the user's `on_event` in a thread of its own: it may be slow, raise, or call back into the runtime."""

    def __init__(self, on_event: Tell) -> None:
        self.heard: Tell = lambda event: None
        """Is told of each event as well, at once and in the thread that tells it: it must not wait."""
        self._on_event = on_event
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="onscope-events", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Have it told soon, in order; returns at once."""
        self.heard(event)
        self._events.put(event)

    def close(self, timeout_s: float = 2.0) -> None:
        """Tell what is left, and end."""
        self._events.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            try:
                self._on_event(event)
            except Exception:  # it is the user's code, and no reason to end anything
                log.exception("on_event failed on %s", event)
