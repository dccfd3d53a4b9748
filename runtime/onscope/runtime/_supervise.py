"""The worker's life: it is started, told what to open, listened to, and brought back when it dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from . import _errors
from ._deaths import DEATHS_OPENING, Deaths
from ._dispatch import Dispatcher
from ._errors import WorkerError
from ._events import Event, Tell, Warner
from ._opening import Opener
from ._route import Route
from ._spare import Spare
from ._watch import Terms, Watchdog
from .clocks import Clocks, Reading
from .engines import leading, next_after
from .worker import VERSION, WorkerLink


class Supervisor(Opener):
    """Keeps one worker alive for a dispatcher; one thread of it listens and restarts.

    `broken` says why there is no worker any more, once there were too many deaths.
    """

    def __init__(self, start: Callable[[], WorkerLink], dispatcher: Dispatcher, terms: Terms, tell: Tell) -> None:
        self.broken = ""
        self.opened: Callable[[int, Mapping[str, Any]], object] = lambda number, lane: None
        """Is told what each lane runs, when the worker has opened it; it must not wait."""
        self.displaced: Callable[[str, str], object] = lambda lost, whole: None
        """Is told of a provider that is not used any more, or not yet, and of the whole list; it must not wait."""
        self.ended = threading.Event()
        self.start = start
        self._dispatcher = dispatcher
        self._changed = dispatcher.changed
        self.terms = terms
        self.tell = tell
        self._given_up = ""
        self._opening: Route | None = None
        self._trying = ""
        self._left: WorkerLink | None = None
        self._hopeless: WorkerLink | None = None
        self._failed = 0
        self.closing = False
        self._deaths = Deaths()
        self._warn = Warner(tell)
        self.clocks = Clocks(tell)
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
                    # One that another has taken over from, or that was left, says nothing that holds any more.
                    if link is self.link and link is not self._left:
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
            if link is self._hopeless:
                self._hopeless = None
                self.tell(Event("provider back", f"{self._dispatcher.working} answers again"))
            self._dispatcher.done(message)
        elif kind == "failed":
            failed = self._dispatcher.failed(message)
            if message.get("lost"):
                self._lose(link, message["lost"], str(message["message"]), failed)
        elif kind == "progress":
            self._progress(message)
        elif kind == "clocks":
            self.clocks.add(Reading.read({name: value for name, value in message.items() if name != "kind"}))
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

    def _lose(self, link: WorkerLink, lost: str, why: str, failed: int) -> None:
        """A provider's device is gone: the worker is left for the next of the list, if there is one."""
        if (rest := next_after(self.terms.provider, lost)) is None:
            if link is not self._hopeless:  # once: every window from here on fails in the same way
                words = f"{lost} is lost: {why}; a list, such as --provider {lost},cpu, says what goes on in its place"
                self._warn([words])
            self._hopeless = link
            return
        with self._changed:
            self._left, self._dispatcher.link = link, None
            self._failed = failed
        self._replace(lost, rest, f"is lost ({why})")
        (link.kill if link.mortal else link.close)()

    def _replace(self, lost: str, rest: str, why: str) -> None:
        whole, self.terms = self.terms.provider, replace(self.terms, provider=rest)
        for route in list(self._dispatcher.routes.values()):
            if route.only == lost:
                route.only = leading(rest)
        self.tell(
            Event(
                "provider lost",
                f"{lost} {why}: {leading(rest)} runs from here on, what networks remember begins anew, and the "
                "acquisition goes on",
            )
        )
        self.displaced(lost, whole)

    def _bring_back(self, link: WorkerLink) -> WorkerLink | None:
        with self._changed:
            if link is not self.link:
                return None  # another has taken over
            self._dispatcher.link = None
            left, failed = link is self._left, self._failed
            self._left, self._failed = None, 0
            running = self._dispatcher.working or self._trying
        how = link.epitaph()
        link.close()
        if left:
            how = "its provider is lost"
        with self._changed:
            how, self._given_up = self._given_up or how, ""
            lost = failed + self._dispatcher.settle_death(f"the worker died ({how})", computing=not left)
            opening, self._opening = self._opening, None
            why = "" if left else self._deaths.another(opening, how)
            hopeless = why or (opening is not None and opening.deaths == DEATHS_OPENING)
            rest = next_after(self.terms.provider, running) if hopeless else None
            if rest is not None:
                self._deaths = Deaths()
                if opening is not None:
                    opening.deaths = 0
            elif why:
                self._break(why)
                return None
        if rest is not None:
            self._replace(running, rest, f"is given up: {why or how}")
        elif opening is not None and opening.deaths == DEATHS_OPENING:
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
        self.ended.set()
        self._dispatcher.link = None
        self._dispatcher.end_all("failed", why)
        self.tell(Event("worker gone", f"{why}: no more results, the acquisition goes on"))

    def close(self) -> None:
        """End the worker and the thread that listens to it."""
        self.ended.set()
        with self._changed:
            self.closing = True
            self._dispatcher.link = None
        self._watchdog.close()
        if (spare := self.spare) is not None:
            spare.give_up()
        self.link.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(10.0)
