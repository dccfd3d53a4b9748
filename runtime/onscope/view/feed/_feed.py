"""The feed: takes the newest results, and hands one to the server when that has asked."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence

from onscope.runtime import ClockPair, Event, Result, Runtime, WorkerError, keep_newest
from onscope.runtime.worker import Message

from .._plain import plain
from .._values import Setting
from ._actions import Actions, Do
from ._board import Board
from ._extras import Extras
from ._head import head_of
from ._kept import Kept
from ._layout import Layouts
from ._rates import Rates
from ._server import Server
from ._wants import Want

EVERY_S = 0.25
"""Seconds between two statuses."""
AHEAD = 2
"""Results that may wait for the feed: one of another place does not take the place of the one before."""
MOST_EVENTS = 64
MOST_TOLD = 20
"""Events that a server is told that has been started again."""
CLOSING_S = 2.0


class Feed:
    """Runs from its making until `close`, in threads of its own, none of which takes frames.

    A server that does not read holds these threads, and nothing else.
    """

    def __init__(self, runtime: Runtime, server: Server, actions: Mapping[str, Do], extras: Extras) -> None:
        self._runtime, self._server, self._extras = runtime, server, extras
        self._results = runtime.subscribe(keep_newest(AHEAD))
        self._layouts = Layouts(runtime, tuple(actions), extras)
        self._rates = Rates(runtime, extras)
        self._board = Board()
        self._clock = ClockPair.take()
        self._lock = threading.Lock()
        """Held while a result is chosen and copied."""
        self._kept = Kept()
        self._wants: list[Want] = []
        self._shown: list[Want] = []
        self._viewers = 0
        self._number = 0
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._told: deque[Message] = deque(maxlen=MOST_TOLD)
        self._new_settings: tuple[Setting, ...] | None = None
        self._closing = self._ended = self._no_room = False
        self._actions = Actions(actions, server.send)
        self._threads = [
            threading.Thread(target=self._run, name="onscope-view-feed", daemon=True),
            threading.Thread(target=self._listen, name="onscope-view-listener", daemon=True),
        ]
        self._tell_layout()
        for thread in self._threads:
            thread.start()

    def tell(self, event: Event) -> None:
        """Have viewers told of an event; returns at once."""
        self._events.append(event)

    def set_settings(self, settings: Sequence[Setting]) -> None:
        """Have viewers told of them; returns at once."""
        self._new_settings = tuple(settings)

    def close(self) -> None:
        """End the server, however it is."""
        self._closing = True
        self._results.close()
        self._threads[0].join(CLOSING_S)
        if self._threads[0].is_alive():  # the server does not read
            self._server.kill()
        self._actions.close(CLOSING_S)
        self._server.close()
        for thread in self._threads:
            thread.join(CLOSING_S)
        with self._lock:
            self._kept.clear()
            self._board.close()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._closing and not self._server.gone:
            if self._ended:
                time.sleep(EVERY_S / 5)  # nothing will come; what is kept can still be asked for
            else:
                result = self._results.take(max(0.0, due - time.monotonic()))
                if result is not None:
                    self._take(result)
                    del result  # its slots need not wait for the next one
                elif self._results.closed:
                    self._ended = True
                    self._tell_end()
            if time.monotonic() >= due:
                due = time.monotonic() + EVERY_S
                self._tell_status()

    def _take(self, result: Result) -> None:
        self._rates.add(result)
        if self._layouts.looks_new(result):
            self._tell_layout()
        with self._lock:
            self._number += 1
            self._kept.add(self._number, result, self._shown)
            self._give()

    def _give(self) -> None:
        """Hand a result over that is wanted and was not given yet; with the lock held."""
        if self._wants and self._board.free:
            best = self._kept.best(self._wants)
            if best is not None:
                self._hand_over(*best)

    def _hand_over(self, number: int, result: Result) -> None:
        try:
            put = self._board.put(result)
        except WorkerError as error:
            self._board.close()
            if not self._no_room:
                self._no_room = True
                self._events.append(Event("warning", f"the live view has no room for its pictures: {error}"))
            return
        self._wants = []  # the server asks again when it has somebody who can take another one
        self._server.send({"kind": "frame", "number": number, "head": head_of(result, self._clock), **put})

    def _tell_layout(self) -> None:
        self._server.send({"kind": "layout", "layout": plain(self._layouts.layout().as_json())})

    def _tell_end(self) -> None:
        self._server.send({"kind": "ended", "words": "the run has ended"})

    def _tell_status(self) -> None:
        self._rates.look(self._results.offered)
        if self._new_settings is not None:
            settings, self._new_settings = self._new_settings, None
            self._layouts.set_settings(settings)
            self._tell_layout()
        while self._events:
            event = self._events.popleft()
            told = {"kind": event.kind, "words": event.message, "bad": event.bad}
            self._told.append(plain(told | {"at": self._clock.wall_of(event.at_ns) / 1e9}))
            self._server.send({"kind": "told", "told": self._told[-1]})
        if self._viewers:
            self._server.send({"kind": "status", "status": {"at": time.time(), **self._rates.status()}})

    def _listen(self) -> None:
        self._server.run(self._heard, self._begin_again, self._runtime.tell)

    def _begin_again(self) -> None:
        """Another server has taken the place of one that died: it knows nothing yet."""
        with self._lock:
            self._wants, self._shown, self._viewers = [], [], 0
            self._kept.give_again()
            self._board.close()
        self._tell_layout()
        for told in tuple(self._told):
            self._server.send({"kind": "told", "told": told})
        if self._ended:
            self._tell_end()

    def _heard(self, message: Message) -> None:
        kind = message["kind"]
        if kind == "do":
            self._actions.ask(message)
            return
        with self._lock:
            if kind == "looking":
                self._viewers = int(message["viewers"])
                self._shown = [Want.of(each) for each in message["shown"]]
            elif kind == "want":
                self._wants = [Want.of(each) for each in message["wants"]]
            elif kind == "read":
                self._board.give_back(message["name"], int(message["slot"]))
            self._give()
