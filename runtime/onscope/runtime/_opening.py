"""Lanes are opened by the worker: it is asked, heard, and its refusals are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ._clock import now_ns
from ._credit import LENDABLE, answer_slots
from ._deaths import Deaths
from ._dispatch import Dispatcher
from ._errors import OnscopeError, WorkerError
from ._events import Event, Kind, Tell, Warner
from ._route import Route
from ._watch import Terms, Watchdog
from .engines import leading
from .worker import WorkerLink


class Opener:
    """The part of `Supervisor` that has lanes opened."""

    link: WorkerLink
    opened: Callable[[int, Mapping[str, Any]], object]
    displaced: Callable[[str, str], object]
    tell: Tell
    terms: Terms
    _changed: threading.Condition
    _deaths: Deaths
    _dispatcher: Dispatcher
    _opening: Route | None
    _trying: str
    """The provider that the worker opens a lane on, or has opened one on last."""
    _warn: Warner
    _watchdog: Watchdog

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

    def _progress(self, message: Mapping[str, Any]) -> None:
        self._renew(self._dispatcher.routes.get(message["lane"]))
        self._trying = message.get("provider", self._trying)
        if message["text"]:
            self.tell(Event("preparing", message["text"]))

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
            route.provider = self._trying = message.get("provider", self.terms.provider)
            route.report, route.graphs = tuple(message.get("report", ())), tuple(message.get("graphs", ()))
            route.way_graphs = message.get("way_graphs", ())
            if (leads := leading(self.terms.provider)) != route.provider:
                self.displaced(leads, self.terms.provider)
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
