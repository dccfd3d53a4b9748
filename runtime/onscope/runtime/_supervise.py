"""The worker's life: it is started, told what to open, listened to, and brought back when it dies."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from . import _errors
from ._answers import AnswerSlots
from ._clock import now_ns
from ._dispatch import CREDIT, LENDABLE, Dispatcher, Route
from ._errors import OnscopeError, WorkerError
from ._events import Event, Kind, Tell
from .worker import VERSION, Link

DEATHS, WITHIN_S = 3, 30.0
"""So many deaths in so short a time stop the retries: the next start would not fare better."""


class WorkerLink(Link, Protocol):
    """What a kind of worker offers beyond messages."""

    @property
    def pid(self) -> int: ...
    def epitaph(self) -> str: ...
    def kill(self) -> None: ...


class Supervisor:
    """Keeps one worker alive for a dispatcher; one thread of it listens and restarts.

    `broken` says why there is no worker any more, once there were too many deaths.
    """

    def __init__(
        self,
        start: Callable[[], WorkerLink],
        dispatcher: Dispatcher,
        provider: str,
        threads: int | None,
        tell: Tell,
    ) -> None:
        self.broken = ""
        self._start = start
        self._dispatcher = dispatcher
        self._changed = dispatcher.changed
        self._provider = provider
        self._threads = threads
        self._tell = tell
        self._closing = False
        self._deaths: deque[int] = deque(maxlen=DEATHS)
        self._deaths_unready = 0
        self._link = start()
        dispatcher.link = self._link
        self._thread = threading.Thread(target=self._listen, name="onscope-results", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Process id of the worker (the own one for a thread)."""
        return self._link.pid

    def open(self, route: Route) -> None:
        """Have the worker open a lane; called with the account's lock held. `route.ready` or `.refusal` follows."""
        self._tell(Event("preparing", f"{route.lane.spec.camera}: {_size(route)}"))
        link = self._dispatcher.link
        if link is not None:  # else it is opened when the worker is back
            try:
                link.send(self._dispatcher.open_message(route, self._provider, self._threads))
            except OSError:
                self._dispatcher.link = None

    def _listen(self) -> None:
        try:
            while True:
                while (message := self._link.receive()) is not None:
                    self._handle(message)
                if self._closing or not self._bring_back():
                    return
        except Exception as error:
            if self._closing:
                return  # an answer that came after the end
            # Without this thread nothing would ever be answered again: no frame may wait for it.
            with self._changed:
                self._break(f"the runtime failed: {error!r}")
            raise

    def _handle(self, message: Mapping[str, Any]) -> None:
        kind = message["kind"]
        if kind == "done":
            self._dispatcher.done(message)
        elif kind == "failed":
            self._dispatcher.failed(message)
        elif kind == "progress":
            self._tell(Event("preparing", message["text"]))
        elif kind == "opened":
            self._opened(message)
        elif kind == "refused":
            kind_of_error = getattr(_errors, message["error"], WorkerError)  # an OSError, say, is none of ours
            self._refuse(self._dispatcher.routes[message["lane"]], kind_of_error(message["message"]))
        elif kind == "hello" and message["version"] != VERSION:
            raise WorkerError(
                f"found a worker of protocol {message['version']}, expected {VERSION}: update onscope there"
            )

    def _opened(self, message: Mapping[str, Any]) -> None:
        route = self._dispatcher.routes[message["lane"]]
        back = route.answers is not None
        if route.answers is None:
            try:
                slots = CREDIT + LENDABLE + 1
                route.answers = AnswerSlots(message["answers"], self._dispatcher.stages, slots, LENDABLE)
            except WorkerError as error:
                self._refuse(route, error)
                return
        with self._changed:
            self._deaths_unready = 0
            try:
                self._link.send({**route.answers.message, "lane": route.number})
            except OSError:
                return  # it died between two messages; the end of its pipe comes next
            route.ready = True
            self._dispatcher.pump()
            self._changed.notify_all()
        kind: Kind = "worker back" if back else "ready"
        self._tell(Event(kind, f"{route.lane.spec.camera}: {_size(route)}, process {self._link.pid}"))

    def _refuse(self, route: Route, error: OnscopeError) -> None:
        with self._changed:
            route.refusal = error
            route.end("failed", str(error))
            self._changed.notify_all()
        self._tell(Event("refused", str(error)))

    def _bring_back(self) -> bool:
        how = self._link.epitaph()
        self._link.close()
        with self._changed:
            lost = self._dispatcher.settle_death(f"the worker died ({how})")
            self._deaths.append(now_ns())
            self._deaths_unready += 1
            if len(self._deaths) == DEATHS and self._deaths[-1] - self._deaths[0] < WITHIN_S * 1e9:
                self._break(f"the worker died {DEATHS} times within {WITHIN_S:.0f} s ({how})")
                return False
            if self._deaths_unready == DEATHS:
                self._break(f"the worker died {DEATHS} times before it was ready ({how})")
                return False
        self._tell(Event("worker died", f"{how}; {lost} frame{'s' * (lost != 1)} failed, the acquisition goes on"))
        self._link = self._start()
        with self._changed:
            if self._closing:
                self._link.close()
                return False
            self._dispatcher.link = self._link
            for route in self._dispatcher.routes:
                if route.refusal is None:
                    self.open(route)
        return True

    def _break(self, why: str) -> None:
        self.broken = why
        self._dispatcher.link = None
        self._dispatcher.end_all("failed", why)
        self._tell(Event("worker gone", f"{why}: no more results, the acquisition goes on"))

    def close(self) -> None:
        """End the worker and the thread that listens to it."""
        with self._changed:
            self._closing = True
            self._dispatcher.link = None
        self._link.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(10.0)


def _size(route: Route) -> str:
    spec = route.lane.spec
    return f"{'x'.join(map(str, spec.shape))} {spec.dtype}"
