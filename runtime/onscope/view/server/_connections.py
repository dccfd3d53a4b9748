"""uvicorn's two kinds of connections, with bounds on what somebody can do who has not said the token yet."""

from __future__ import annotations

import asyncio
from asyncio.transports import BaseTransport
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from websockets.frames import Frame

ASKING_S = 10.0
"""A connection has asked for something by then."""
READING_S = 60.0
"""A page's file has been read by then, and a connection that is not a WebSocket ends."""
ENDING_S = 10.0
"""Who does not read is waited for so long when the connection ends."""
MOST_PARTS = 1024
"""Of one message."""


class PageConnection(H11Protocol):
    """Ends when nothing was asked in time, and after a while in any case."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._late = self.loop.call_later(ASKING_S, self._end_unasked)

    def connection_lost(self, exc: Exception | None) -> None:
        self._late.cancel()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._late.cancel()
        super().handle_websocket_upgrade(event)

    def _end_unasked(self) -> None:
        if self.cycle is None:
            self.transport.abort()
        else:
            self._late = self.loop.call_later(READING_S - ASKING_S, self.transport.abort)


class LiveConnection(WebSocketsSansIOProtocol):
    """Answers no pings of one who does not read, takes no endless messages, and ends with its viewer."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._late = self.loop.call_later(ASKING_S, self._end_unaccepted)

    def connection_lost(self, exc: Exception | None) -> None:
        self._late.cancel()
        super().connection_lost(exc)

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # the answer is left out: it would wait behind all that is not read

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MOST_PARTS:
            self.transport.abort()
            return
        super().handle_cont(event)

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        self._late.cancel()
        self._late = self.loop.call_later(ENDING_S, self.transport.abort)

    def _end_unaccepted(self) -> None:
        if not self.handshake_complete:
            self.transport.abort()
