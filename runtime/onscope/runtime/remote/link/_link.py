"""`RemoteLink`: a worker on a box, spoken to as one in a process of this machine."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

from ..._errors import WorkerError
from ...worker import DEEPEST, LONG_NS, Message
from ._connecting import Connecting
from ._desk import CREDIT
from ._talk import Talk

TIMES_THE_HANDOVER = 5
ENDING_S = 1.0


class RemoteLink:
    """Frames are read from the slots that its messages name, answers are written into them.

    All of the network is done by one thread; `send` never waits for it. Who made it knows what `Connecting` says.
    """

    mortal = True
    here = False
    credit, deepest = CREDIT, DEEPEST

    def __init__(self, connecting: Connecting) -> None:
        self._inbox: SimpleQueue[Message | None] = SimpleQueue()
        self._outbox: deque[Mapping[str, Any]] = deque()
        self._address = connecting.address
        self.counters = connecting.counters
        self._talk = Talk(connecting, self._outbox, self._inbox.put)
        self._thread = threading.Thread(target=self._talk.run, name="onscope-link", daemon=True)
        self._thread.start()

    def require_contact(self, patience_s: float) -> None:
        """Wait until the box has let us in; raises WorkerError, and ends the link, when it does not."""
        if self._talk.contact.wait(patience_s) and not self._talk.epitaph:
            return
        why = self._talk.epitaph
        self.kill()
        if why:
            raise WorkerError(why)
        raise WorkerError(
            f"found no onscope at {self._address} within {patience_s:.0f} s, expected a box that "
            "runs `onscope serve`: start it there, and look at the address, its key and the firewall"
        )

    @property
    def pid(self) -> int:
        """Process id of the worker on the box; 0 before it has said so."""
        return self._talk.desk.pid

    @property
    def away(self) -> bool:
        """Whether the link is cut, or was not let in yet: it is patient with that itself."""
        return self._talk.away

    @property
    def long_ns(self) -> int:
        return max(LONG_NS, TIMES_THE_HANDOVER * self._talk.desk.lanes.handover_ns)

    @property
    def sent_frames(self) -> int:
        """Frames of which the pixels were sent."""
        return self._talk.desk.lanes.sent_frames

    def send(self, message: Mapping[str, Any]) -> None:
        if self._talk.over:
            raise OSError(self._talk.epitaph or "the link is closed")
        self._outbox.append(message)
        self._talk.wake.ring()

    def receive(self) -> Message | None:
        return self._inbox.get()

    def epitaph(self) -> str:
        """Why it ended, in a few words."""
        return self._talk.epitaph or "the link was closed"

    def close(self) -> None:
        """Let the worker on the box end by itself."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it at once; a box that cannot be reached ends it when it can, or after a while by itself."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        self._talk.end(kill=kill)
        if threading.current_thread() is not self._thread:
            self._thread.join(ENDING_S)
