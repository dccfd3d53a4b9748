"""The box's listening socket."""

from __future__ import annotations

import contextlib
import ipaddress
from typing import Any

import zmq

from ..._errors import WorkerError
from ..wire import HEAD_BYTES, Secret, is_local

MESSAGES_IN, MESSAGES_OUT = 64, 1000
"""Messages of one PC that ZeroMQ may hold in each direction."""


def listening(
    context: zmq.Context[zmq.Socket[bytes]], host: str, port: int, secret: Secret | None
) -> tuple[zmq.Socket[bytes], int]:
    """A ROUTER socket that listens at `host` and `port` (0: a free one), and the port.

    Raises WorkerError when it cannot, or when there is no secret for an address beyond this machine.
    """
    if secret is None and not is_local(host):
        raise WorkerError(f"found no key for the address {host}, expected one for anything beyond this machine")
    made: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
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
        made.setsockopt(option, value)
    if secret is not None:
        made.curve_server = True
        made.curve_secretkey = secret.z85
    shown = f"[{host}]" if ":" in host else host
    try:
        made.bind(f"tcp://{'127.0.0.1' if host == 'localhost' else shown}:{port or '*'}")
    except zmq.ZMQError as error:
        made.close(0)
        raise WorkerError(f"cannot listen on {shown}:{port} ({error}): choose another host or port") from error
    return made, int(made.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])


def peer_address(first: Any) -> str:
    """Where a message came from, by its first frame, as its user would write it; "" where that is not known."""
    with contextlib.suppress(zmq.ZMQError, LookupError):
        return as_written(str(first.get("Peer-Address")))
    return ""


def as_written(address: str) -> str:
    """An IPv4 address that an IPv6 socket tells (`::ffff:10.0.0.7`) as what it is; any other as it is."""
    with contextlib.suppress(ValueError):
        if (inner := ipaddress.IPv6Address(address).ipv4_mapped) is not None:
            return str(inner)
    return address
