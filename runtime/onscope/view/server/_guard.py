"""Who may speak to the server: looked at for every request, before anything else is.

A web page elsewhere cannot read what a browser gets from here, but it can try: by a name of its own that it makes point
to this machine (DNS rebinding), which `Host` tells, or by asking from its own page, which `Origin` tells.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._view import is_loopback

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
READING = ("GET", "HEAD")


class Door:
    """Which hosts a request may name, for a server that listens on `host`."""

    def __init__(self, host: str) -> None:
        self._open = not is_loopback(host)
        names = {"localhost", host.lower()}
        if self._open:
            names.add(socket.gethostname().lower())  # its longer name only a name service knows, which is not asked
        self._names = names

    def refusal(self, headers: Mapping[str, list[str]]) -> str:
        """Why a request with these headers (names in lower case) is refused; empty: it is not."""
        hosts, origins = headers.get("host", []), headers.get("origin", [])
        if len(hosts) != 1 or not self._knows(hosts[0]):
            return "found another Host than this machine's, expected its address: open the address that was printed"
        if len(origins) > 1 or (origins and origins[0].lower() not in _origins(hosts[0].lower())):
            return "found a request from another site's page, expected one from the view's own"
        return ""

    def _knows(self, host: str) -> bool:
        # The port is any: where a tunnel ends, it is another one.
        name, port = _split(host.lower())
        if port and not (port.isascii() and port.isdigit()):
            return False
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return self._open or address.is_loopback  # no name service has a hand in an address


def _split(host: str) -> tuple[str, str]:
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name, rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port


def _origins(host: str) -> tuple[str, str]:
    return f"http://{host}", f"https://{host}"


class Guard:
    """Lets those through whom the Door knows, and only reading; tells browsers to keep to what is here."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        words = self._door.refusal(headers)
        if scope["type"] == "websocket":
            if words:
                await send({"type": "websocket.close", "code": 1008, "reason": words})  # before it is open: a 403
            else:
                await self._app(scope, receive, send)
            return
        if words:
            await _answer(_with_headers(send), 403, words)
        elif scope["method"] not in READING:
            await _answer(_with_headers(send), 405, f"found {scope['method']}, expected GET")
        else:
            await self._app(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = [each for each in message.get("headers", []) if each[0].decode("latin-1").title() not in HEADERS]
            added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*known, *added]}
        await send(message)

    return sent


async def _answer(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})
