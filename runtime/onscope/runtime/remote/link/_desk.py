"""What the supervisor's messages become on the wire, and what comes back for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..._errors import OnscopeError
from ...service import LinkCounters
from ...worker import Message
from ..clock import OtherClock
from ..packages import named
from ..packing import Codec, Packer
from ..session import Session
from ..wire import Pack, Payload, WireError, name_of, text, whole
from ._lanes import Lanes
from ._uploads import Uploads

CREDIT = 3
"""Windows that the box has: one that comes, one that is computed, one whose answer goes."""


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

    def send(self, message: Mapping[str, Any]) -> None:
        """One message of the supervisor's, on its way."""
        kind, lane = message["kind"], message.get("lane", -1)
        if kind == "open":
            try:
                needed = named(message)
                opening = {"kind": "worker", "message": self.lanes.open(needed.message)}
            except (OnscopeError, OSError) as error:
                self._tell({"kind": "refused", "lane": lane, "error": type(error).__name__, "message": str(error)})
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
            message = head["message"]
            said = message["kind"]
            if said in ("done", "failed"):
                message = self.lanes.answered(message)
            elif said == "hello":
                self.pid = whole(message, "pid")
            elif said in ("opened", "progress", "refused"):
                whole(message, "lane")
            else:
                raise WireError(f"found a message {said!r:.40} of the box's worker")
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
