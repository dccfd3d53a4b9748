"""The box's loop: greets PCs, keeps their sessions over cuts, passes messages on. One thread does all of it."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import zmq

from ..._cache_place import cache_folder
from ..._clock import now_ns
from ..._errors import WorkerError
from ..._shm import remove_leftovers
from ...service import BoxCounters
from ...worker import Message
from ..packages import Store
from ..packing import TURN_NS, WAITED_NS, Codec
from ..wire import (
    GREETING_BYTES,
    HEAD_BYTES,
    LOOPBACK,
    Payload,
    Secret,
    Wake,
    WireError,
    pack,
    size_of,
    unpack,
)
from ._greeting import Refused, greeting, welcome
from ._guest import Guest
from ._socket import listening, peer_address

KEEP_NS = 60_000_000_000
"""A PC that was not heard for so long has to begin anew."""
DRAIN_NS = 10_000_000_000
WEIGH_NS = 1_000_000_000
LOOK_MS = 200
AT_ONCE = 64
MOST_PCS = 8


class Server:
    """Listens at `host` (an address or name of this machine) and `port` (0: a free one), and serves until `stop`.

    `secret` is required, for CURVE and as a token, unless it listens on loopback alone; `store` is the folder of
    the files that PCs send (None: in the cache); at most `most` workers run at once, and one that takes more than
    `memory_mb` (None: half of the machine's memory), or than its PC allows, is ended. `tell` is told in words who
    comes and goes. Raises WorkerError when it cannot listen.
    """

    def __init__(
        self,
        host: str = LOOPBACK,
        port: int = 0,
        *,
        secret: Secret | None = None,
        store: Path | None = None,
        most: int = MOST_PCS,
        memory_mb: float | None = None,
        tell: Callable[[str], object] = lambda words: None,
    ) -> None:
        self._secret, self._most, self._tell = secret, most, tell
        self.counters = BoxCounters()
        self._store = Store(cache_folder("box") if store is None else store)
        self._codec = Codec()
        self._guests: dict[str, Guest] = {}
        self._by_peer: dict[bytes, Guest] = {}
        self._said: deque[tuple[Guest, Message | None]] = deque()
        self._wake = Wake()
        self._stopping_ns = self._weigh_ns = 0
        self._most_bytes = int(psutil.virtual_memory().total / 2 if memory_mb is None else memory_mb * 2**20)
        remove_leftovers()
        self._context = zmq.Context()
        try:
            self._socket, self.port = listening(self._context, host, port, secret)
        except WorkerError:
            self._context.destroy(0)
            raise

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers that run."""
        return [guest.pid for guest in list(self._guests.values())]

    def stop(self) -> None:
        """Answer what is here, say goodbye and end; from any thread, or a signal's handler."""
        self._stopping_ns = self._stopping_ns or now_ns()
        self._wake.ring()

    def run(self) -> None:
        """Serve until `stop`."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._wake.descriptor, zmq.POLLIN)
        try:
            while not self._stopped:
                looked = now_ns()
                poller.poll(LOOK_MS)
                awaited = now_ns() - looked > WAITED_NS
                self._wake.clear()
                self._step(awaited)
            for peer in list(self._by_peer):
                self._send(peer, {"kind": "bye", "words": "it is being stopped"})
        finally:
            for guest in self._guests.values():
                guest.close(kill=True)
            self._socket.close(300)
            self._context.term()
            self._wake.close()

    @property
    def _stopped(self) -> bool:
        if not self._stopping_ns:
            return False
        for guest in self._guests.values():
            guest.draining = True
        busy = any(guest.busy and guest.peer is not None for guest in self._guests.values())
        return not busy or now_ns() - self._stopping_ns > DRAIN_NS

    def _step(self, awaited: bool) -> None:
        while self._said:
            guest, message = self._said.popleft()
            if guest.id in self._guests:
                with self._apart(guest):
                    guest.died() if message is None else guest.answer(message)
        for _ in range(AT_ONCE):
            try:
                frames: list[Any] = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.ZMQError:
                break
            self._take(frames[0].bytes, [frame.buffer for frame in frames[1:]], frames[0], awaited)
            awaited = False
        now = now_ns()
        for guest in list(self._guests.values()):
            with self._apart(guest):
                self._pump(guest)
            if now > self._weigh_ns:
                guest.weigh(self._most_bytes)
            if now - guest.heard_ns > KEEP_NS and guest.id in self._guests:
                self._end(guest, "was not heard any more", kill=True)
        if now > self._weigh_ns:
            self._weigh_ns = now + WEIGH_NS

    def _take(self, peer: bytes, parts: list[Payload], first: Any, awaited: bool) -> None:
        """One message, of whomever. Nothing that comes may end the server."""
        guest = self._by_peer.get(peer)
        came_ns = now_ns()
        self.counters.received_bytes += size_of(parts)
        try:
            head, payload = unpack(parts, GREETING_BYTES if guest is None else HEAD_BYTES)
            if head["kind"] == "hello":
                self._greet(peer, head, first)
            elif guest is None:
                return  # of an earlier connection, or of a stranger
            elif "n" in head:
                guest.came(head, payload, came_ns, awaited)
            elif head["kind"] == "beat":
                if (answer := guest.beat(head, came_ns)) is not None:
                    self._send(peer, answer)
            elif head["kind"] == "bye":
                self._end(guest, "said goodbye", kill=bool(head.get("kill")))
        except Refused as error:
            self.counters.greetings["refused"] += 1
            self._send(peer, {"kind": "refused", "words": str(error)})
        except (WireError, WorkerError) as error:
            self.counters.malformed += isinstance(error, WireError)
            self._send(peer, {"kind": "refused", "words": str(error)})
            if guest is not None:
                self._end(guest, f"was refused: {error}", kill=True)
        except Exception as error:
            self._give_up(peer, guest, error)

    @contextlib.contextmanager
    def _apart(self, guest: Guest) -> Iterator[None]:
        """What goes wrong with one PC ends its run alone."""
        try:
            yield
        except Exception as error:
            self._give_up(guest.peer, guest, error)

    def _give_up(self, peer: bytes | None, guest: Guest | None, error: Exception) -> None:
        # Of broad excepts on purpose: what one PC says must not end the others' runs.
        if peer is not None:
            self._send(peer, {"kind": "refused", "words": f"it did not expect this: {error!r:.500}"})
        if guest is not None and guest.id in self._guests:
            self._end(guest, f"was not expected: {error!r:.500}", kill=True)

    def _greet(self, peer: bytes, head: Mapping[str, Any], first: Any) -> None:
        """Let a PC in, or back in."""
        if peer in self._by_peer:
            raise WireError("found a second greeting on one connection")
        asked, where = greeting(head, "" if self._secret is None else self._secret.token), peer_address(first)
        for id in asked.replaces:
            if (old := self._guests.get(id)) is not None:
                self._end(old, "began anew", kill=True)
        guest = self._guests.get(asked.session)
        if asked.session and guest is None:
            raise Refused(
                "it knows nothing of this run any more (it was restarted, or did not hear of the PC for long)"
            )
        if guest is None:
            if self._stopping_ns:
                raise Refused("it is being stopped")
            if len(self._guests) >= self._most:
                raise Refused(f"{self._most} workers run already, expected fewer: end a run, or start it with --most")
            guest = Guest(asked.new, self._store, self._post, self.counters, self._codec)
            self._guests[guest.id] = guest
            self._tell(f"{where} came: worker {guest.pid}")
        before = guest.peer
        guest.greeted(asked, peer, where)
        if before is not None:
            self._by_peer.pop(before, None)
        self._by_peer[peer] = guest
        self.counters.greetings["resumed" if asked.session else "new"] += 1
        self._send(peer, welcome(guest.id, guest.session.told(), resumed=bool(asked.session)))

    def _post(self, guest: Guest, message: Message | None) -> None:
        self._said.append((guest, message))
        self._wake.ring()

    def _pump(self, guest: Guest) -> None:
        left, began = AT_ONCE, now_ns()
        while left and guest.peer is not None and (item := guest.session.take()) is not None:
            self._send(guest.peer, *item)
            left = 0 if now_ns() - began > TURN_NS else left - 1
        if not left:
            self._wake.ring()
        if guest.peer is not None and guest.session.owes:
            self._send(guest.peer, {"kind": "beat", "got": guest.session.told()})

    def _send(self, peer: bytes, head: Mapping[str, Any], payload: Payload | None = None) -> None:
        parts = pack(head if payload is None else {**head, "sent_ns": now_ns()}, payload)
        try:
            self._socket.send_multipart([peer, *parts], zmq.NOBLOCK, copy=False)
            self.counters.sent_bytes += size_of(parts)
        except zmq.ZMQError:  # it is gone, and greets us when it is back
            if (guest := self._by_peer.pop(peer, None)) is not None:
                guest.peer = None

    def _end(self, guest: Guest, how: str, *, kill: bool) -> None:
        del self._guests[guest.id]
        if guest.peer is not None:
            self._by_peer.pop(guest.peer, None)
        guest.close(kill=kill)
        self._tell(f"{guest.where} {how}: worker {guest.pid}")
