"""Where a running onscope is looked at: from what a user copies out of a terminal or a browser."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from .._errors import ViewError

PATH = "/live"
SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class Address:
    """`websocket` to connect to, and the `token` that is said in the first message ("" on loopback)."""

    websocket: str
    token: str = ""


def address_of(url: str, token: str = "") -> Address:
    """From the page's address (`http://127.0.0.1:8787/#TOKEN`) or `host:port`; a `token` given apart counts.

    Raises ViewError when it names no host and port.
    """
    text = url.strip()
    parts = urlsplit(text if "//" in text else f"http://{text}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme not in SCHEMES or not host or port is None:
        raise ViewError(
            f"found the address {url!r}, expected http://HOST:PORT/#TOKEN or HOST:PORT: copy the one that onscope says "
            "when its view starts"
        )
    inside = f"[{host}]" if ":" in host else host
    said = token.strip() or parts.fragment.removeprefix("token=")
    return Address(f"{SCHEMES[parts.scheme]}://{inside}:{port}{PATH}", said)
