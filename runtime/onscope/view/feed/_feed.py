"""The feed: takes the newest results, and hands one to the server when that has asked."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import Any

from onscope.runtime import ClockPair, Event, Result, Runtime, WorkerError, keep_newest
from onscope.runtime.worker import Message, ProcessLink

from .._values import Setting
from ._actions import Actions, Do
from ._board import Board
from ._extras import Extras
from ._head import head_of
from ._layout import Layouts
from ._plain import plain
from ._rates import Rates
from ._wants import Place, Want, place_of

EVERY_S = 0.25
"""Seconds between two statuses."""
HELD = 2
"""Places whose newest result is kept: they stand in the run's own memory, which lends four."""
MOST_EVENTS = 64
CLOSING_S = 2.0


class Feed:
    """Runs from its making until `close`, in threads of its own, none of which takes frames.

    A server that does not read holds these threads, and nothing else.
    """

    def __init__(self, runtime: Runtime, link: ProcessLink, actions: Mapping[str, Do], extras: Extras) -> None:
        self._runtime, self._link, self._extras = runtime, link, extras
        self._results = runtime.subscribe(keep_newest(1))
        self._layouts = Layouts(runtime, tuple(actions), extras)
        self._rates = Rates(runtime, extras)
        self._board = Board()
        self._clock = ClockPair.take()
        self._lock = threading.Lock()
        """Held while a result is chosen and copied."""
        self._sending = threading.Lock()
        self._held: OrderedDict[Place, tuple[int, Result]] = OrderedDict()
        self._given: dict[Place, int] = {}
        self._wants: list[Want] = []
        self._viewers = 0
        self._number = 0
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._new_settings: tuple[Setting, ...] | None = None
        self._closing = self._gone = self._no_room = False
        self._actions = Actions(actions, self._send)
        self._threads = [
            threading.Thread(target=self._run, name="onscope-view-feed", daemon=True),
            threading.Thread(target=self._listen, name="onscope-view-listener", daemon=True),
        ]
        self._send({"kind": "layout", "layout": plain(self._layouts.layout().as_json())})
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
            self._link.kill()
        self._actions.close(CLOSING_S)
        self._link.close()
        for thread in self._threads:
            thread.join(CLOSING_S)
        with self._lock:
            self._held.clear()
            self._board.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        with self._sending, contextlib.suppress(OSError):  # that it is gone, the listener hears
            self._link.send(message)

    def _run(self) -> None:
        due, ended = time.monotonic(), False
        while not self._closing and not self._gone:
            if ended:
                time.sleep(EVERY_S / 5)  # nothing will come; what is held can still be asked for
            else:
                result = self._results.take(max(0.0, due - time.monotonic()))
                if result is not None:
                    self._take(result)
                    del result  # its slots need not wait for the next one
                elif self._results.closed:
                    ended = True
                    self._send({"kind": "ended", "words": "the run has ended"})
            if time.monotonic() >= due:
                due = time.monotonic() + EVERY_S
                self._tell_status()

    def _take(self, result: Result) -> None:
        self._rates.add(result)
        if self._layouts.looks_new(result):
            self._tell_layout()
        with self._lock:
            self._number += 1
            place = place_of(result)
            self._held[place] = (self._number, result)
            self._held.move_to_end(place)
            while len(self._held) > HELD:
                self._held.popitem(last=False)
            self._given.pop(place, None)
            self._give()

    def _give(self) -> None:
        """Hand the newest result over that is wanted and was not given yet; with the lock held."""
        if not self._wants or not self._board.free:
            return
        for place in reversed(self._held):
            number, result = self._held[place]
            if self._given.get(place) != number and any(want.takes(result) for want in self._wants):
                self._given[place] = number
                self._hand_over(number, result)
                return

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
        self._send({"kind": "frame", "number": number, "head": head_of(result, self._clock), **put})

    def _tell_layout(self) -> None:
        self._send({"kind": "layout", "layout": plain(self._layouts.layout().as_json())})

    def _tell_status(self) -> None:
        self._rates.look(self._results.offered)
        if self._new_settings is not None:
            settings, self._new_settings = self._new_settings, None
            self._layouts.set_settings(settings)
            self._tell_layout()
        while self._events:
            event = self._events.popleft()
            told = {"kind": event.kind, "words": event.message, "bad": event.bad}
            self._send({"kind": "told", "told": told | {"at": self._clock.wall_of(event.at_ns) / 1e9}})
        if self._viewers:
            self._send({"kind": "status", "status": {"at": time.time(), **self._rates.status()}})

    def _listen(self) -> None:
        message: Message | None = {}
        while message is not None:
            try:
                message = self._link.receive()
            except (OSError, ValueError):
                message = None
            if message:
                self._heard(message)
        self._gone = True
        if not self._closing:
            self._link.kill()
            words = f"the live view has ended ({self._link.epitaph()}), and the run goes on without it"
            self._runtime.tell(Event("warning", words))

    def _heard(self, message: Message) -> None:
        kind = message["kind"]
        if kind == "viewers":
            self._viewers = int(message["viewers"])
        elif kind == "do":
            self._actions.ask(message)
        else:
            with self._lock:
                if kind == "want":
                    self._wants = [Want.of(each) for each in message["wants"]]
                elif kind == "read":
                    self._board.give_back(message["name"], int(message["slot"]))
                self._give()
