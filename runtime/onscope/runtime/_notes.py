"""What becomes known of a run while it goes on, on its way into the recording: opened graphs, deaths, warnings."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from ._errors import RecordError
from ._events import Event
from ._noted import Events, Lanes

if TYPE_CHECKING:
    from .record import Recording

ORDINARY = frozenset(("preparing", "ready", "segment", "disk"))
"""Kinds of events that are no news afterwards."""
log = logging.getLogger("onscope")


class Notes:
    """Enters facts into a recording's manifest in a thread of its own: each is a file written to the disk itself.

    Its methods return at once and may be called from any thread. A disk that refuses is told of by who writes frames.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._queue: SimpleQueue[tuple[str, Any] | None] = SimpleQueue()
        self._events, self._lanes = Events(), Lanes()
        self._sources: list[dict[str, Any]] = []
        self._facts: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._write, name="onscope-notes", daemon=True)
        self._thread.start()

    def event(self, event: Event) -> None:
        """Something happened."""
        if event.kind not in ORDINARY:
            self._queue.put(("event", {"at_ns": event.at_ns, "kind": event.kind, "message": event.message}))

    def lane(self, number: int, lane: Mapping[str, Any]) -> None:
        """The worker opened the pipeline for frames of one look, or opened it again."""
        self._queue.put(("lane", (number, dict(lane))))

    def source(self, source: Mapping[str, Any]) -> None:
        """Frames come from a source, which says this of itself (`describe_source`)."""
        self._queue.put(("source", dict(source)))

    def swap(self, swap: Mapping[str, Any]) -> None:
        """A stage's package was replaced, see `Runtime.swap`."""
        self._queue.put(("swap", dict(swap)))

    def fact(self, name: str, value: Any) -> None:
        """Something else, by its name in the manifest."""
        self._queue.put(("fact", (name, value)))

    def close(self) -> None:
        """Write what is left."""
        self._queue.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _write(self) -> None:
        while (note := self._queue.get()) is not None:
            more = True
            while more and note is not None:  # all that waits is one writing
                self._take(*note)
                try:
                    note = self._queue.get_nowait()
                except Empty:
                    more = False
            self._save()
            if note is None:
                return

    def _take(self, kind: str, what: Any) -> None:
        if kind == "lane":
            self._lanes.lane(*what)
        elif kind == "source":
            if what not in self._sources:
                self._sources.append(what)
        elif kind == "swap":
            self._lanes.swap(what)
        elif kind == "fact":
            self._facts[what[0]] = what[1]
        else:
            self._events.add(what)

    def _save(self) -> None:
        facts = {**self._facts, **self._lanes.facts, **self._events.facts}
        if self._sources:
            facts["sources"] = list(self._sources)
        try:
            self._recording.describe(**facts)
        except RecordError as error:
            log.debug("a note was not saved: %s", error)
