"""The box's loop: greets PCs, keeps their sessions over cuts, passes messages on. One thread does all of it."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import zmq

from ..._cache_place import cache_folder
from ..._clock import now_ns
from ..._errors import WorkerError
from ..._shm import remove_leftovers
from ...worker import Message
from ..packages import Store
from ..wire import GREETING_BYTES, HEAD_BYTES, LOOPBACK, Payload, Secret, Wake, WireError, is_local, pack, unpack, whole
from ._greeting import Refused, greeting, welcome
from ._guest import Guest

KEEP_NS = 60_000_000_000
"""A PC that was not heard for so long has to begin anew."""
DRAIN_NS = 10_000_000_000
WEIGH_NS = 1_000_000_000
LOOK_MS = 200
AT_ONCE = 64
MOST_PCS = 8
MESSAGES_IN, MESSAGES_OUT = 64, 1000
"""Messages of one PC that ZeroMQ may hold in each direction."""


class Server:
    """Listens at `host` (an address or name of this machine) and `port` (0: a free one), and serves until `stop`.

    `secret` is required, for CURVE and as a token, unless it listens on loopback alone; `store` is the folder of
    the files that PCs send (None: in the cache); at most `most` workers run at once, and one that takes more than
    `memory_mb` (None: half of the machine's memory) is ended. `tell` is told in words who comes and goes. Raises
    WorkerError when it cannot listen.
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
        if secret is None and not is_local(host):
            raise WorkerError(f"found no key for the address {host}, expected one for anything beyond this machine")
        self._secret, self._most, self._tell = secret, most, tell
        self._store = Store(cache_folder("box") if store is None else store)
        self._guests: dict[str, Guest] = {}
        self._by_peer: dict[bytes, Guest] = {}
        self._said: deque[tuple[Guest, Message | None]] = deque()
        self._wake = Wake()
        self._stopping_ns = self._weigh_ns = 0
        self._most_bytes = int(psutil.virtual_memory().total / 2 if memory_mb is None else memory_mb * 2**20)
        remove_leftovers()
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        self._configure()
        shown = f"[{host}]" if ":" in host else host
        try:
            self._socket.bind(f"tcp://{'127.0.0.1' if host == 'localhost' else shown}:{port or '*'}")
        except zmq.ZMQError as error:
            self._context.destroy(0)
            raise WorkerError(f"cannot listen on {shown}:{port} ({error}): choose another host or port") from error
        self.port = int(self._socket.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])
        """Where it listens."""

    def _configure(self) -> None:
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.ROUTER_MANDATORY, 1),  # a PC that is gone is an error, and no message that vanishes
            (zmq.MAXMSGSIZE, HEAD_BYTES),
            (zmq.RCVHWM, MESSAGES_IN),
            (zmq.SNDHWM, MESSAGES_OUT),
            (zmq.IPV6, 1),
            (zmq.TCP_KEEPALIVE, 1),
            (zmq.TCP_KEEPALIVE_IDLE, 30),
        ):
            self._socket.setsockopt(option, value)
        if self._secret is not None:
            self._socket.curve_server = True
            self._socket.curve_secretkey = self._secret.z85

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
                poller.poll(LOOK_MS)
                self._wake.clear()
                self._step()
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

    def _step(self) -> None:
        while self._said:
            guest, message = self._said.popleft()
            if guest.id in self._guests:
                guest.died() if message is None else guest.answer(message)
        for _ in range(AT_ONCE):
            try:
                frames: list[Any] = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.ZMQError:
                break
            self._take(frames[0].bytes, [frame.buffer for frame in frames[1:]], frames[0])
        now = now_ns()
        for guest in list(self._guests.values()):
            self._pump(guest)
            if now > self._weigh_ns:
                guest.weigh(self._most_bytes)
            if now - guest.heard_ns > KEEP_NS:
                self._end(guest, "was not heard any more", kill=True)
        if now > self._weigh_ns:
            self._weigh_ns = now + WEIGH_NS

    def _take(self, peer: bytes, parts: list[Payload], first: Any) -> None:
        """One message, of whomever. Nothing that comes may end the server."""
        guest = self._by_peer.get(peer)
        came_ns = now_ns()
        try:
            head, payload = unpack(parts, GREETING_BYTES if guest is None else HEAD_BYTES)
            if head["kind"] == "hello":
                self._greet(peer, head, first)
            elif guest is None:
                return  # of an earlier connection, or of a stranger
            elif "n" in head:
                guest.heard_ns = came_ns
                if guest.session.came(head, len(payload or b"")):
                    guest.handle(head, payload)
            elif head["kind"] == "beat":
                guest.heard_ns = came_ns
                guest.session.heard(head.get("got"))
                if "sent_ns" in head:
                    beat = {"kind": "beat", "of": whole(head, "sent_ns"), "came_ns": came_ns}
                    self._send(peer, {**beat, "sent_ns": now_ns(), "got": guest.session.told()})
            elif head["kind"] == "bye":
                self._end(guest, "said goodbye", kill=bool(head.get("kill")))
        except Refused as error:
            self._send(peer, {"kind": "refused", "words": str(error)})
        except (WireError, WorkerError) as error:
            self._send(peer, {"kind": "refused", "words": str(error)})
            if guest is not None:
                self._end(guest, f"was refused: {error}", kill=True)
        except Exception as error:
            # Broad on purpose: what one PC says must not end the others' runs.
            self._send(peer, {"kind": "refused", "words": f"it did not expect this: {error!r:.500}"})
            if guest is not None and guest.id in self._guests:
                self._end(guest, f"was not expected: {error!r}", kill=True)

    def _greet(self, peer: bytes, head: Mapping[str, Any], first: Any) -> None:
        """Let a PC in, or back in."""
        if peer in self._by_peer:
            raise WireError("found a second greeting on one connection")
        asked = greeting(head, "" if self._secret is None else self._secret.token)
        where = ""
        with contextlib.suppress(zmq.ZMQError, LookupError):
            where = first.get("Peer-Address")
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
            guest = Guest(asked.new, self._store, self._post)
            self._guests[guest.id] = guest
            self._tell(f"{where} came: worker {guest.pid}")
        guest.session.resume(asked.got)
        if guest.peer is not None:
            self._by_peer.pop(guest.peer, None)
        guest.peer, guest.where, guest.heard_ns = peer, where, now_ns()
        self._by_peer[peer] = guest
        self._send(peer, welcome(guest.id, guest.session.told(), resumed=bool(asked.session)))

    def _post(self, guest: Guest, message: Message | None) -> None:
        self._said.append((guest, message))
        self._wake.ring()

    def _pump(self, guest: Guest) -> None:
        for _ in range(AT_ONCE):
            if guest.peer is None or (item := guest.session.take()) is None:
                break
            self._send(guest.peer, *item)
        else:
            self._wake.ring()
        if guest.peer is not None and guest.session.owes:
            self._send(guest.peer, {"kind": "beat", "got": guest.session.told()})

    def _send(self, peer: bytes, head: Mapping[str, Any], payload: Payload | None = None) -> None:
        try:
            self._socket.send_multipart([peer, *pack(head, payload)], zmq.NOBLOCK, copy=False)
        except zmq.ZMQError:  # it is gone, and greets us when it is back
            if (guest := self._by_peer.pop(peer, None)) is not None:
                guest.peer = None

    def _end(self, guest: Guest, how: str, *, kill: bool) -> None:
        del self._guests[guest.id]
        if guest.peer is not None:
            self._by_peer.pop(guest.peer, None)
        guest.close(kill=kill)
        self._tell(f"{guest.where} {how}: worker {guest.pid}")
