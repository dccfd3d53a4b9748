"""The thread of a link: greets, sends, receives, beats, and greets again after a cut."""

from __future__ import annotations

import importlib.metadata
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import zmq

from ..._clock import now_ns
from ...worker import VERSION as WORKER_VERSION
from ...worker import Message
from ..clock import OtherClock
from ..packing import TURN_NS, WAITED_NS, Arrivals
from ..session import Lost, Session
from ..wire import VERSION, Payload, Wake, WireError, pack, size_of, text, unpack, whole
from ._channel import Channel
from ._connecting import Connecting
from ._desk import Desk

BEAT_NS = 500_000_000
FIRST_BEATS, FIRST_BEAT_NS = 8, 20_000_000
"""So many beats come quickly, to know the box's clock soon."""
SILENCE_NS = 5_000_000_000
"""A link on which nothing came for so long is cut, whatever TCP says."""
AGAIN_NS = 50_000_000, 1_000_000_000
"""The first pause before another connection, and the longest."""
FACTS_NS = 10_000_000_000
LOOK_NS = 100_000_000
"""So often patience is looked at."""
GOODBYE_MS = 300
AT_ONCE = 64
"""Messages that are taken before others are sent."""


class Talk:
    """What a RemoteLink does in its thread. `epitaph` says why it is over, where that was not asked for."""

    def __init__(
        self, connecting: Connecting, outbox: deque[Mapping[str, Any]], tell: Callable[[Message | None], object]
    ) -> None:
        self.contact = threading.Event()
        self.over = False
        self.epitaph = ""
        self.clock = OtherClock()
        self.wake = Wake()
        self._told_box: dict[str, Any] = {}
        self._to = connecting
        self._outbox, self._tell = outbox, tell
        self._channel = Channel(connecting.address)
        self._session = Session()
        self._id = ""
        self._in = False
        self._kill = False
        self._asked_to_end = False
        self._heard_ns = self._up_ns = now_ns()
        self._next_ns, self._pause_ns = 0, AGAIN_NS[0]
        self._beat_ns, self._beats, self._facts_ns = 0, 0, 0
        self._counters = connecting.counters
        self.desk = Desk(self._session, self.clock, connecting.address.pack, tell, self._counters)
        self._arrivals = Arrivals()

    @property
    def away(self) -> bool:
        return not (self._in or self.over)

    def end(self, *, kill: bool) -> None:
        """Say goodbye and end; from any thread."""
        self._kill |= kill
        self._asked_to_end = True
        self.wake.ring()

    def run(self) -> None:
        try:
            while not (self._asked_to_end or self.epitaph):
                self._step()
        except WireError as error:
            self.epitaph = self.epitaph or f"the box at {self._to.address} sent what makes no sense: {error}"
        except Exception as error:
            # Broad on purpose: whatever it was, nobody may wait for answers that never come.
            self.epitaph = self.epitaph or f"the link failed: {error!r}"
        finally:
            self.over, self._counters.up = True, False
            self._goodbye()
            self.contact.set()
            self._tell(None)
            self.desk.lanes.close_all()
            self.wake.close()
            self._channel.end()

    def _step(self) -> None:
        now = now_ns()
        if self._channel.socket is None and now >= self._next_ns:
            self._greet(now)
        poller = zmq.Poller()
        poller.register(self.wake.descriptor, zmq.POLLIN)
        for socket in (self._channel.socket, self._channel.monitor):
            if socket is not None:
                poller.register(socket, zmq.POLLIN)
        due = self._beat_ns if self._in else self._next_ns if self._channel.socket is None else now + LOOK_NS
        looked = now_ns()
        poller.poll(max(1, min(due - now, LOOK_NS) // 1_000_000))
        awaited = now_ns() - looked > WAITED_NS
        self.wake.clear()
        while self._outbox:
            self.desk.send(self._outbox.popleft())
        if self._channel.socket is None:
            self._look_at_patience(now_ns())
            return
        for _ in range(AT_ONCE):
            if self._channel.socket is None or (parts := self._channel.receive()) is None:
                break
            try:
                self._take(parts, awaited)
            except Lost:
                self._lose("incomplete")
            awaited = False
        now = now_ns()
        if self._channel.socket is not None and (self._channel.cut or now - self._heard_ns > SILENCE_NS):
            self._lose("cut" if now - self._heard_ns <= SILENCE_NS else "silent")
        if self._in:
            self._pump(now)
        else:
            self._look_at_patience(now)

    def _greet(self, now: int) -> None:
        self._channel.open()
        self._heard_ns = now
        self._next_ns = now + BEAT_NS
        self._put(
            {
                "kind": "hello",
                "version": VERSION,
                "worker_version": WORKER_VERSION,
                "onscope": importlib.metadata.version("onscope"),
                "token": self._to.address.token,
                "pack": self._to.address.pack,
                "memory_bytes": self._to.memory_bytes,
                "session": self._id,
                "got": self._session.got,
                "replaces": list(self._to.replaces),
            }
        )

    def _lose(self, how: str) -> None:
        """The connection is over; another one is tried after a pause."""
        self._channel.close()
        now = now_ns()
        if self._in:
            self._up_ns = now
            self._counters.cuts += 1
            self._to.warn(f"the link to {self._to.address} is {how}: connecting again, nothing is lost until then")
        self._in = self._counters.up = False
        self._next_ns, self._pause_ns = now + self._pause_ns, min(2 * self._pause_ns, AGAIN_NS[1])

    def _look_at_patience(self, now: int) -> None:
        if self._id and now - self._up_ns > self._to.patience_s * 1e9:
            self.epitaph = f"the box at {self._to.address} was away for {self._to.patience_s:.0f} s"

    def _take(self, parts: list[Payload], awaited: bool) -> None:
        self._counters.received_bytes += size_of(parts)
        head, payload = unpack(parts)
        now = self._heard_ns = now_ns()
        kind = head["kind"]
        if "sent_ns" in head:
            self._arrivals.came(whole(head, "sent_ns"), now, len(payload or b""), awaited)
        if "n" in head:
            if self._in and self._session.came(head, len(payload or b"")):
                self.desk.handle(head, payload)
                self.epitaph = self.desk.epitaph
        elif kind == "welcome":
            self._welcome(head, now)
        elif kind == "refused":
            self.epitaph = f"the box at {self._to.address} refused: {text(head, 'words', 2000)}"
        elif kind == "bye":
            self.epitaph = f"the box said goodbye: {text(head, 'words', 2000)}"
        elif kind == "beat":
            if self._in:
                self._session.heard(head.get("got"))
            if "rate" in head:
                self.desk.packer.rate = whole(head, "rate")
            if "of" in head:
                self._look_at_clock(whole(head, "of"), whole(head, "came_ns"), whole(head, "sent_ns"), now)

    def _look_at_clock(self, sent_ns: int, came_ns: int, answered_ns: int, now: int) -> None:
        self.clock.add(sent_ns, came_ns, answered_ns, now)
        self._counters.round_trip_s = max(0, now - sent_ns - (answered_ns - came_ns)) / 1e9
        if (known := self.clock.at(now)) is not None:
            self._counters.clock_offset_s, self._counters.clock_uncertainty_s = known[0] / 1e9, known[1] / 1e9

    def _welcome(self, head: Mapping[str, Any], now: int) -> None:
        session = text(head, "session")
        if self._in or (self._id and session != self._id):
            raise WireError(f"found a welcome to the session {session!r:.40}, expected one to each greeting")
        self._counters.resent += self._session.resume(head.get("got"))
        self._arrivals.begin()
        if self._id:
            self._to.warn(f"the link to {self._to.address} is back after {(now - self._up_ns) / 1e9:.1f} s")
        self._id = session
        self._told_box = {"host": text(head, "host"), "onscope": text(head, "onscope")}
        self._in, self._pause_ns, self._beats, self._beat_ns = True, AGAIN_NS[0], 0, 0
        self._counters.up = True
        self.contact.set()

    def _pump(self, now: int) -> None:
        """Send what may be sent, beats among it."""
        if now >= self._beat_ns:
            self._beats += 1
            self._beat_ns = now + (FIRST_BEAT_NS if self._beats < FIRST_BEATS else BEAT_NS)
            beat = {"kind": "beat", "rate": self._arrivals.rate, "got": self._session.told()}
            self._put({**beat, "sent_ns": now_ns()})
            self._tell_facts(now)
        left = AT_ONCE
        while left and self._in and (item := self._session.take()) is not None:
            self._put(*item)
            left = 0 if now_ns() - now > TURN_NS else left - 1
        if not left:
            self.wake.ring()  # there is more, and what came has its turn first
        if self._in and self._session.owes:
            self._put({"kind": "beat", "got": self._session.told()})

    def _put(self, head: Mapping[str, Any], payload: Payload | None = None) -> None:
        if self._channel.socket is None:
            return
        parts = pack(head if payload is None else {**head, "sent_ns": now_ns()}, payload)
        if self._channel.send(parts):
            self._counters.sent_bytes += size_of(parts)
        else:
            self._lose("full")

    def _tell_facts(self, now: int) -> None:
        known = self.clock.at(now)
        if known is None or self._beats < FIRST_BEATS or now < self._facts_ns:
            return
        self._facts_ns = now + FACTS_NS
        clock = {"ahead_ns": known[0], "uncertainty_ns": known[1]}
        self._to.heard({"address": str(self._to.address), **self._told_box, "clock": clock})

    def _goodbye(self) -> None:
        if self._in:
            self._put({"kind": "bye", "kill": self._kill})
            self._channel.close(GOODBYE_MS)
        elif self._id:
            self._to.unended(self._id)
