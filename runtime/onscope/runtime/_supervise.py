"""The worker's life: it is started, told what to open, listened to, and brought back when it dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from . import _errors
from ._clock import now_ns
from ._credit import LENDABLE, answer_slots
from ._deaths import DEATHS_OPENING, Deaths
from ._dispatch import Dispatcher
from ._errors import OnscopeError, WorkerError
from ._events import Event, Kind, Tell, Warner
from ._route import Route
from ._spare import Spare
from ._watch import Terms, Watchdog
from .worker import VERSION, WorkerLink


class Supervisor:
    """Keeps one worker alive for a dispatcher; one thread of it listens and restarts.

    `broken` says why there is no worker any more, once there were too many deaths.
    """

    def __init__(self, start: Callable[[], WorkerLink], dispatcher: Dispatcher, terms: Terms, tell: Tell) -> None:
        self.broken = ""
        self.opened: Callable[[int, Mapping[str, Any]], object] = lambda number, lane: None
        """Is told what each lane runs, when the worker has opened it; it must not wait."""
        self.start = start
        self._dispatcher = dispatcher
        self._changed = dispatcher.changed
        self.terms = terms
        self.tell = tell
        self._given_up = ""
        self._opening: Route | None = None
        self.closing = False
        self._deaths = Deaths()
        self._warn = Warner(tell)
        self.spare: Spare | None = None  # a second worker that is prepared, see `Takeover`
        self.link = dispatcher.link = start()

        def weighed() -> int:
            link = self.link
            return link.pid if link.mortal and link.here and dispatcher.link is not None else 0

        self._watchdog = Watchdog(dispatcher, terms, weighed, self._give_up, self._give_up_stuck, lambda: self.spare)
        self.listen()

    def listen(self) -> None:
        """Begin to listen to `link`; a thread that listens to another one ends with that."""
        self._thread = threading.Thread(target=self._listen, args=(self.link,), name="onscope-results", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Process id of the worker (the own one for a thread)."""
        return self.link.pid

    def open(self, route: Route) -> None:
        """Have the worker open a lane that it was not asked for yet; called with the account's lock held.

        `route.lane.ready` or `route.refusal` follows.
        """
        if route.asked_ns or route.why_not or not route.lane.furnished:
            return
        if not route.stages:
            route.lane.ready = True
            self._changed.notify_all()
            return
        self.tell(Event("preparing", str(route)))
        if self._dispatcher.link is not None:  # else it is opened when the worker is back
            route.asked_ns = now_ns()
            self.send(self._dispatcher.open_message(route, self.terms.provider, self.terms.threads))

    def forget(self, route: Route) -> None:
        """Have the worker close a lane; called with the account's lock held."""
        if route.asked_ns:
            self.send({"kind": "close", "lane": route.number})

    def send(self, message: Mapping[str, Any]) -> None:
        """Tell the worker, if there is one now; called with the account's lock held."""
        if self._dispatcher.link is not None:
            try:
                self._dispatcher.link.send(message)
            except OSError:
                self._dispatcher.link = None

    def _give_up(self, why: str) -> None:
        with self._changed:
            if self.closing or self._dispatcher.link is None:
                return
            self._given_up = why
            link = self.link
            if not link.mortal:
                self._break(f"{why}, and a thread cannot be ended (the worker 'process' can)")
            self._dispatcher.link = None
        link.kill()

    def _give_up_stuck(self, why: str) -> None:
        self._given_up = why
        self.link.kill()

    def _listen(self, link: WorkerLink | None) -> None:
        try:
            while link is not None:
                while (message := link.receive()) is not None:
                    if link is self.link:  # else another has taken over, and what this one says holds no more
                        self._handle(message, link)
                link = None if self.closing or self.broken else self._bring_back(link)
        except Exception as error:
            if self.closing:
                return  # an answer that came after the end
            # Without this thread nothing would ever be answered again: no frame may wait for it.
            with self._changed:
                self._break(f"the runtime failed: {error!r}")
            raise

    def _handle(self, message: Mapping[str, Any], link: WorkerLink) -> None:
        kind = message["kind"]
        self._warn(message.get("warnings", ()))
        if kind == "done":
            self._dispatcher.done(message)
        elif kind == "failed":
            self._dispatcher.failed(message)
        elif kind == "progress":
            self._renew(self._dispatcher.routes.get(message["lane"]))
            self.tell(Event("preparing", message["text"]))
        elif kind == "opened":
            self._renew(None)
            self._opened(message, link)
        elif kind == "refused":
            self._renew(None)
            kind_of_error = getattr(_errors, message["error"], WorkerError)  # an OSError, say, is none of ours
            refused = self._dispatcher.routes.get(message["lane"])
            if refused is not None:
                self.refuse(refused, kind_of_error(message["message"]))
        elif kind == "hello" and message["version"] != VERSION:
            raise WorkerError(
                f"found a worker of protocol {message['version']}, expected {VERSION}: update onscope there"
            )

    def _renew(self, opening: Route | None) -> None:
        """The worker is at work on what it was asked to open: the others wait for their turn."""
        self._opening = opening
        with self._changed:
            for route in self._dispatcher.routes.values():
                if route.asked_ns and not route.lane.ready:
                    route.asked_ns = now_ns()

    def _opened(self, message: Mapping[str, Any], link: WorkerLink) -> None:
        route = self._dispatcher.routes.get(message["lane"])
        if route is None:
            return  # closed meanwhile
        try:
            answers = route.answers_for(message, answer_slots(link), LENDABLE)
        except (WorkerError, OSError) as error:
            self.refuse(route, error if isinstance(error, WorkerError) else WorkerError(str(error)))
            return
        with self._changed:
            if route.number not in self._dispatcher.routes or route.why_not or link is not self.link:
                if route.answers is None:
                    answers.close()
                return  # closed, or another worker's turn, while its answers' slots were made
            route.answers = answers
            route.report, route.graphs = tuple(message.get("report", ())), tuple(message.get("graphs", ()))
            route.way_graphs = message.get("way_graphs", ())
            self._dispatcher.warmed(message)
            self._deaths.unready = 0
            self.warmed(message)
            try:
                link.send({**route.answers.message, "lane": route.number})
            except OSError:
                return  # it died between two messages; the end of its pipe comes next
            if route.back and (anew := route.forgotten):
                self._warn([f"{route}: frozen or running statistics of {', '.join(anew)} began anew with the worker"])
            kind: Kind = "worker back" if route.back else "ready"
            route.back = route.lane.ready = True
            self._dispatcher.pump()
            self._changed.notify_all()
        self.opened(route.number, route.described)
        self.tell(Event(kind, f"{route}, process {self.link.pid}"))

    def refuse(self, route: Route, error: OnscopeError) -> None:
        """Frames of this lane can never be run, and why."""
        with self._changed:
            route.refusal = error
            route.end("failed", str(error))
            self._dispatcher.pump()  # what came after its frames waited for them
            self._changed.notify_all()
        self.tell(Event("refused", str(error)))

    def warmed(self, message: Mapping[str, Any]) -> None:
        """How long a window may take, by an `opened` message."""
        self._watchdog.warm_s = max(self._watchdog.warm_s, message["warm_ns"] / 1e9)

    def _bring_back(self, link: WorkerLink) -> WorkerLink | None:
        with self._changed:
            if link is not self.link:
                return None  # another has taken over
            self._dispatcher.link = None
        how = link.epitaph()
        link.close()
        with self._changed:
            how, self._given_up = self._given_up or how, ""
            lost = self._dispatcher.settle_death(f"the worker died ({how})")
            opening, self._opening = self._opening, None
            if why := self._deaths.another(opening, how):
                self._break(why)
                return None
        if opening is not None and opening.deaths == DEATHS_OPENING:
            self.refuse(
                opening, WorkerError(f"the worker died {DEATHS_OPENING} times while it prepared {opening} ({how})")
            )
        self.tell(Event("worker died", f"{how}; {lost} frame{'s' * (lost != 1)} failed, the acquisition goes on"))
        self.link = started = self.start()
        with self._changed:
            if self.closing:
                started.close()
                return None
            self._dispatcher.link = started
            # First what frames wait for, then what came last.
            for route in sorted(self._dispatcher.routes.values(), key=lambda r: (not r.lane.waiting, -r.number)):
                self.open(route)
        return started

    def _break(self, why: str) -> None:
        self.broken = why
        self._dispatcher.link = None
        self._dispatcher.end_all("failed", why)
        self.tell(Event("worker gone", f"{why}: no more results, the acquisition goes on"))

    def close(self) -> None:
        """End the worker and the thread that listens to it."""
        with self._changed:
            self.closing = True
            self._dispatcher.link = None
        self._watchdog.close()
        if (spare := self.spare) is not None:
            spare.give_up()
        self.link.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(10.0)
