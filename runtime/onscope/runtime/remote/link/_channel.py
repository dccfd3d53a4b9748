"""One TCP connection after another to the box: a cut is seen, and never mended behind our back."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from ..wire import HEAD_BYTES, Address, Payload

OVER = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_CLOSED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
)
MESSAGES_IN, MESSAGES_OUT = 64, 1000
"""Messages that ZeroMQ may hold in each direction: of ours a session stops long before."""


class Channel:
    """Used by one thread."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._context = zmq.Context()
        self.socket: zmq.Socket[bytes] | None = None
        self.monitor: zmq.Socket[bytes] | None = None

    def open(self) -> None:
        """Begin a new connection; `cut` tells when it is over."""
        self.socket = socket = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SNDHWM, MESSAGES_OUT)
        socket.setsockopt(zmq.RCVHWM, MESSAGES_IN)
        socket.setsockopt(zmq.MAXMSGSIZE, HEAD_BYTES)
        socket.setsockopt(zmq.IPV6, 1)
        # Whoever connects again must greet again: a connection that ZeroMQ mends by itself would lack the greeting.
        socket.setsockopt(zmq.RECONNECT_IVL, -1)
        if self._address.public:
            public, secret = zmq.curve_keypair()
            socket.curve_publickey, socket.curve_secretkey = public, secret
            socket.curve_serverkey = self._address.public
        self.monitor = socket.get_monitor_socket(OVER)
        socket.connect(self._address.endpoint)

    @property
    def cut(self) -> bool:
        """Whether the connection is over, or never came about."""
        over = False
        with contextlib.suppress(zmq.ZMQError):
            while self.monitor is not None and self.monitor.poll(0):
                recv_monitor_message(self.monitor)
                over = True
        return over

    def send(self, parts: Sequence[Payload]) -> bool:
        """Whether it could be sent; large parts are read by ZeroMQ while they leave."""
        assert self.socket is not None
        try:
            self.socket.send_multipart(parts, zmq.NOBLOCK, copy=False)
        except zmq.ZMQError:
            return False
        return True

    def receive(self) -> list[Payload] | None:
        """The parts of the next message that is there; None: none."""
        assert self.socket is not None
        try:
            frames: list[Any] = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.ZMQError:
            return None
        return [frame.buffer for frame in frames]

    def close(self, linger_ms: int = 0) -> None:
        """End the connection; what is to leave before may take so long."""
        if self.socket is not None:
            with contextlib.suppress(zmq.ZMQError):
                self.socket.disable_monitor()
            self.socket.close(linger_ms)
            self.socket = self.monitor = None

    def end(self) -> None:
        """No connection comes after it."""
        self.close()
        self._context.term()
