"""One connection to the view's server, up to its first message."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from .._wire import VERSION
from ._address import Address

MOST_BYTES = 512 << 20
"""Of one message: eight pictures of 4096 x 4096 with 16 bits are 256 MiB."""
MOST_FRAMES = 1
"""Of the WebSocket that wait to be read: each may be as large as a message."""
OPEN_S, CLOSE_S, PING_S = 10.0, 1.0, 10.0


class Refused(Exception):
    """The server does not want this viewer; trying again is of no use."""


@contextmanager
def connection(address: Address, opened: Callable[[Callable[[], object]], object]) -> Iterator[Any]:
    """A websockets.sync connection that has said hello. Raises Refused, or what the network raises.

    `opened` is called with what ends it, for other threads: first when it is a bare socket, and again when it speaks.
    """
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect

    try:
        with connect(
            address.websocket,
            sock=_bare(address, opened),  # also has it follow no redirects: the address is the user's, not the server's
            compression=None,  # pictures hardly shrink, and the acquisition's computer has other things to do
            proxy=None,
            max_size=MOST_BYTES,
            max_queue=MOST_FRAMES,
            open_timeout=OPEN_S,
            close_timeout=CLOSE_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
        ) as speaking:
            opened(speaking.close)
            speaking.send(json.dumps({"type": "hello", "version": VERSION, "token": address.token}))
            yield speaking
    except (InvalidStatus, ValueError) as error:  # ValueError: a redirect, which cannot be followed with this socket
        answer = error if isinstance(error, InvalidStatus) else error.__cause__
        if isinstance(answer, InvalidStatus) and (code := answer.response.status_code) < 500:
            raise Refused(f"{address.websocket} answered {code}: is it the address of a running onscope?") from error
        raise
    except ConnectionClosed as error:
        if error.rcvd is not None and error.rcvd.code == 1008:
            raise Refused(error.rcvd.reason or "the server refused this viewer") from error
        raise


def _bare(address: Address, opened: Callable[[Callable[[], object]], object]) -> socket.socket:
    parts = urlsplit(address.websocket)
    made = socket.create_connection((parts.hostname, parts.port or 0), timeout=OPEN_S)
    made.settimeout(None)
    opened(partial(_cut, made))
    return made


def _cut(made: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        made.shutdown(socket.SHUT_RDWR)
