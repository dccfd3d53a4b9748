"""One connection to the view's server, up to its first message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .._wire import VERSION
from ._address import Address

MOST_BYTES = 512 << 20
"""Of one message: eight pictures of 4096 x 4096 with 16 bits are 256 MiB."""
OPEN_S, CLOSE_S, PING_S = 10.0, 1.0, 10.0


class Refused(Exception):
    """The server does not want this viewer; trying again is of no use."""


@contextmanager
def connection(address: Address) -> Iterator[Any]:
    """A websockets.sync connection that has said hello. Raises Refused, or what the network raises."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect

    try:
        with connect(
            address.websocket,
            compression=None,  # pictures hardly shrink, and the acquisition's computer has other things to do
            proxy=None,
            max_size=MOST_BYTES,
            max_queue=4,
            open_timeout=OPEN_S,
            close_timeout=CLOSE_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
        ) as socket:
            socket.send(json.dumps({"type": "hello", "version": VERSION, "token": address.token}))
            yield socket
    except InvalidStatus as error:
        code = error.response.status_code
        if 400 <= code < 500:
            raise Refused(f"{address.websocket} answered {code}: is it the address of a running onscope?") from error
        raise
    except ConnectionClosed as error:
        if error.rcvd is not None and error.rcvd.code == 1008:
            raise Refused(error.rcvd.reason or "the server refused this viewer") from error
        raise
