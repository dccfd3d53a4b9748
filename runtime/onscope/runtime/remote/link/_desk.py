"""What the supervisor's messages become on the wire, and what comes back for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ... import _errors
from ..._clock import now_ns
from ..._errors import OnscopeError, WorkerError
from ...service import LinkCounters
from ...worker import VERSION, Message
from ..clock import OtherClock
from ..packages import named
from ..packing import Codec, Packer
from ..session import Session
from ..wire import Pack, Payload, WireError, name_of, text, whole
from ._lanes import Lanes
from ._machine import clocks, lost, tried
from ._uploads import Uploads
from ._words import MOST_SENTENCES, sentence, sentences

CREDIT = 3
"""Windows that the box has: one that comes, one that is computed, one whose answer goes."""
MOST_PROGRESS = 10_000
"""So often a box may tell what takes long."""


class Desk:
    """One link's messages, in its thread; `tell` is given those for the supervisor."""

    def __init__(
        self, session: Session, clock: OtherClock, pack: Pack, tell: Callable[[Message], object], counters: LinkCounters
    ) -> None:
        self.epitaph = ""
        """How the worker on the box ended."""
        self.pid = 0
        self._counters = counters
        codec = Codec()
        self.packer = Packer(pack, codec, counters)
        self.lanes = Lanes(CREDIT, clock, self.packer, codec)
        self._session, self._tell = session, tell
        self._uploads = Uploads(tell)
        self._progress = self._warnings = 0

    def send(self, message: Mapping[str, Any]) -> None:
        """One message of the supervisor's, on its way."""
        kind, lane = message["kind"], message.get("lane", -1)
        if kind == "open":
            try:
                needed = named(message)
                opening = {"kind": "worker", "message": self.lanes.open(needed.message)}
            except (OnscopeError, OSError) as error:
                self._refuse(lane, error)
                return
            self._session.add([self._uploads.ask(lane, needed, opening)])
        elif kind == "run":
            self._counters.windows += 1
            self._session.add(self.lanes.run(message))
        elif kind == "answers":
            self._session.add([({"kind": "worker", "message": self.lanes.attach_answers(message)}, None)])
        else:
            if kind == "close":
                self.lanes.close(lane)
                if self._uploads.forget(lane):
                    return
            self._session.add([({"kind": "worker", "message": message}, None)])

    def handle(self, head: Mapping[str, Any], payload: Payload | None) -> None:
        """One message of the box's; raises WireError for what makes no sense."""
        try:
            self._handle(head["kind"], head, payload)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise WireError(f"found a message of the box that is none ({error!r:.200})") from error
        for opening in self._uploads.ready():
            self._session.add([(opening, None)])

    def _handle(self, kind: str, head: Mapping[str, Any], payload: Payload | None) -> None:
        if kind == "part" and payload is not None:
            self.lanes.part(head, payload)
        elif kind == "worker":
            if (message := self._said(head["message"])) is not None:
                self._tell(message)
        elif kind == "lack":
            names = [name_of(each) for each in head["files"]]
            self._session.add(self._uploads.lacks(whole(head, "lane"), names), later=True)
        elif kind == "stored":
            self._uploads.stored(name_of(head.get("name")), text(head, "words", 2000))
        elif kind == "died":
            self.epitaph = f"on the box, {text(head, 'epitaph', 2000)}"
        else:
            raise WireError(f"found a message {kind!r:.40} of the box")

    def _said(self, told: Mapping[str, Any]) -> Message | None:
        """What the supervisor is told of what the box's worker said, all of it looked at; None: nothing."""
        kind = told["kind"]
        made: Message | None = None
        if kind == "done":
            made = self.lanes.done(told)
        elif kind == "failed":
            self.lanes.failed(told)
            made = {"kind": kind, "window": told["window"], "message": sentence(told, "message")}
            made |= {"warnings": sentences(told, "warnings"), "lost": lost(told)}
        elif kind == "opened":
            made = self._opened(told)
        elif kind == "refused":
            if self.lanes.refused(lane := whole(told, "lane")):
                made = {"kind": kind, "lane": lane, "error": _error(told), "message": sentence(told, "message")}
        elif kind == "progress":
            self._progress += 1
            if self._progress > MOST_PROGRESS:
                raise WireError(f"found more than {MOST_PROGRESS} words of what takes long")
            if self.lanes.opening(lane := whole(told, "lane")) is not None:
                made = {"kind": kind, "lane": lane, "text": sentence(told, "text"), **tried(told)}
        elif kind == "clocks":
            made = clocks(told, self.lanes.clock, now_ns())
        elif kind == "hello" and not self.pid:
            self.pid = whole(told, "pid", 1)
            made = {"kind": kind, "version": whole(told, "version", VERSION, VERSION), "pid": self.pid}
        else:
            raise WireError(f"found a message {kind!r:.40} of the box's worker")
        if made is not None:
            self._leave_out_warnings(made)
        return made

    def _opened(self, told: Mapping[str, Any]) -> Message | None:
        lane = whole(told, "lane")
        if self._uploads.waits(lane):
            raise WireError(f"found lane {lane} opened, of which it has no weights yet")
        try:
            return self.lanes.opened(told)
        except WorkerError as error:
            self._refuse(lane, error)
            return None

    def _refuse(self, lane: int, error: OnscopeError | OSError) -> None:
        self._tell({"kind": "refused", "lane": lane, "error": type(error).__name__, "message": str(error)})

    def _leave_out_warnings(self, message: Message) -> None:
        """Of a box that warns on and on only the first are told: each other one is remembered by who tells them."""
        if "warnings" in message:
            left = max(0, MOST_SENTENCES - self._warnings)
            message["warnings"] = message["warnings"][:left]
            self._warnings += len(message["warnings"])


def _error(told: Mapping[str, Any]) -> str:
    """The name of an error of ours; any other one is a WorkerError."""
    found = getattr(_errors, name, None) if (name := sentence(told, "error")).isidentifier() else None
    return name if isinstance(found, type) and issubclass(found, OnscopeError) else WorkerError.__name__
