"""Whether somebody listens where a server was: asked without gRPC, which the acquisition process does not import."""

from __future__ import annotations

import contextlib
import socket

from ._address import Address

PATIENCE_S = 1.0


def is_reachable(address: Address) -> bool:
    """Whether a connection can be made; whether it is the server that answers is seen by who opens a session there."""
    with contextlib.suppress(OSError), socket.create_connection((address.host, address.port), PATIENCE_S):
        return True
    return False
