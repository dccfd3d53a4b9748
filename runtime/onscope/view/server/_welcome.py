"""A viewer's first words, and every one after them."""

from __future__ import annotations

import asyncio
import contextlib
import hmac

from starlette.websockets import WebSocket, WebSocketDisconnect

from .._wire import WireError
from ._said import Credit, DoThis, Hello, Said, Show, read_said
from ._viewer import MOST_VIEWERS, Viewer

HELLO_S = 5.0
REFUSED = 1008
LATER = 1013


class Refused(Exception):
    """It was told why, and its connection is closed."""


async def wait_for_hello(socket: WebSocket, token: str) -> None:
    """Wait for a viewer's hello with the right token; raises Refused."""
    try:
        async with asyncio.timeout(HELLO_S):
            said = await _read(socket)
    except TimeoutError:
        await answered(socket, f"found no hello within {HELLO_S:g} s, expected one first")
        raise Refused from None
    except WireError as error:
        await answered(socket, str(error))
        raise Refused from error
    if not isinstance(said, Hello):
        await answered(socket, "found another message first, expected hello")
        raise Refused
    if not hmac.compare_digest(said.token.encode(errors="replace"), token.encode()):
        await answered(socket, "found another token than this run's: open the address that was printed, all of it")
        raise Refused


async def read_next(viewer: Viewer, socket: WebSocket) -> Said:
    """The next message, noted where it is about updates. Raises WireError, WebSocketDisconnect."""
    said = await _read(socket)
    if isinstance(said, Hello):
        raise WireError("found a second hello, expected one")
    if isinstance(said, Show):
        viewer.show(said.views)
    elif isinstance(said, Credit):
        viewer.add_credit(said.n)
    else:
        assert isinstance(said, DoThis)
    return said


async def turn_away(socket: WebSocket) -> None:
    """Tell one who came that there are as many as there may be."""
    await answered(socket, f"found {MOST_VIEWERS} viewers already, expected fewer: close one", LATER)


async def answered(socket: WebSocket, words: str, code: int = REFUSED) -> None:
    """Tell it why, and close."""
    with contextlib.suppress(WebSocketDisconnect, OSError, RuntimeError, TimeoutError):
        async with asyncio.timeout(HELLO_S):
            await socket.send_json({"type": "refused", "words": words})
            await socket.close(code)


async def _read(socket: WebSocket) -> Said:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    if text is None:
        raise WireError("found bytes, expected text")
    return read_said(text)
