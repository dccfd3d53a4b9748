"""Where a KServe v2 server is, and how it is spoken to: `kserve:gpu-server:8001?in_flight=8`.

Options, after `?` and with `&` between:

    in_flight   windows that may be on their way at once (1 to 64; 2)
    memories    of recurrent networks that the server keeps for this client at once (1 to 65536; 64)
    timeout_s   how long one window may take before the server counts as lost (5)
    priority    the class that windows are of, 1 comes first (0: the usual one, which is the last)
    model       name of the model on the server (the one that `onscope deploy` gave the graph)
    tls         a file of the authorities that are believed, or `system`; without it nothing is encrypted
    cert, key   files of this client's own certificate and key
    header      in which the token goes (authorization, as `Bearer TOKEN`; in others as it is)
    shared      auto or never: frames stay in shared memory where server and client are on one machine
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, fields
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from .._errors import ProviderError, WorkerError

SCHEME = "kserve"
PORT = 8001
"""Triton's for gRPC."""
TOKEN_VARIABLE = "ONSCOPE_KSERVE_TOKEN"
"""The token is in the environment of the worker: what names a provider is recorded and shown."""
MOST_IN_FLIGHT = 64
MOST_MEMORIES = 65_536
SYSTEM = "system"
AUTHORIZATION = "authorization"
_HEADER = re.compile(r"[a-z0-9][a-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and how it is spoken to. See the module for the options."""

    host: str
    port: int = PORT
    in_flight: int = 2
    memories: int = 64
    timeout_s: float = 5.0
    priority: int = 0
    model: str = ""
    tls: str = ""
    cert: str = ""
    key: str = ""
    header: str = AUTHORIZATION
    shared: Literal["auto", "never"] = "auto"

    @property
    def target(self) -> str:
        """As gRPC writes it."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def provider(self) -> str:
        """As a provider is written; what is as usual is left out."""
        given = [
            f"{field.name}={_shown(value)}"
            for field in fields(self)
            if field.name not in ("host", "port") and (value := getattr(self, field.name)) != field.default
        ]
        return f"{SCHEME}:{self.target}" + (f"?{'&'.join(given)}" if given else "")

    @property
    def is_local(self) -> bool:
        """Whether it is an address of this machine alone."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"{SCHEME}:{self.target}"


def parse_provider(argument: str) -> Address:
    """The argument of the provider `kserve:HOST:PORT?OPTIONS`. Raises ProviderError."""
    try:
        return _parsed(f"//{argument}")
    except ValueError as error:
        raise ProviderError(
            f"found the provider {f'{SCHEME}:{argument}'!r:.200}: {error}, expected kserve:HOST:PORT, with options as "
            "?in_flight=8&tls=ca.pem (docs/serving.md)"
        ) from None


def parse_worker(words: str) -> tuple[Address, str]:
    """`kserve://HOST:PORT?OPTIONS#TOKEN`: the server, and the token ("": none). Raises WorkerError."""
    shown, _, token = words.partition("#")
    try:
        if not shown.startswith(f"{SCHEME}://"):
            raise ValueError("its scheme is another")
        address = _parsed(shown.removeprefix(f"{SCHEME}:"))
        if token and not (address.tls or address.is_local):
            raise ValueError("a token would go over the network for everybody to read; name the authorities as ?tls=")
        if token and not (token.isascii() and token.isprintable()):
            raise ValueError("the token is no line of ASCII")
    except ValueError as error:
        raise WorkerError(
            f"found the worker {shown!r:.200}: {error}, expected kserve://HOST:PORT?OPTIONS#TOKEN (docs/serving.md)"
        ) from None
    return address, token


def _parsed(words: str) -> Address:
    if "," in words:
        raise ValueError("there is a comma in it, which stands between providers")
    parts = urlsplit(words)
    if not parts.hostname or parts.path.strip("/") or parts.username or parts.fragment:
        raise ValueError("there is no host, or more than host and port")
    options: dict[str, Any] = {"host": parts.hostname, "port": PORT if parts.port is None else parts.port}
    known = {field.name: field for field in fields(Address)}
    for name, text in parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)):
        if name not in known or name in options:
            raise ValueError(f"the option {name!r:.40} is unknown, or there twice")
        options[name] = _converted(text, known[name].default)
    address = Address(**options)
    _check(address)
    return address


def _converted(text: str, usual: Any) -> Any:
    try:
        return type(usual)(text)
    except ValueError:
        raise ValueError(f"{text!r:.40} is no number") from None


def _check(address: Address) -> None:
    if not 1 <= address.in_flight <= MOST_IN_FLIGHT:
        raise ValueError(f"in_flight is {address.in_flight}, and may be 1 to {MOST_IN_FLIGHT}")
    if not 1 <= address.memories <= MOST_MEMORIES:
        raise ValueError(f"memories is {address.memories}, and may be 1 to {MOST_MEMORIES}")
    if not 0.01 <= address.timeout_s <= 3600:
        raise ValueError(f"timeout_s is {address.timeout_s:g}, and may be 0.01 to 3600")
    if not 0 <= address.priority < 2**32:
        raise ValueError(f"priority is {address.priority}, and may be 0 (the model's usual one) or more")
    if address.shared not in ("auto", "never"):
        raise ValueError(f"shared is {address.shared!r:.40}, and may be auto or never")
    if bool(address.cert) != bool(address.key) or (address.cert and not address.tls):
        raise ValueError("cert and key go together, and with tls")
    if not _HEADER.fullmatch(address.header):
        raise ValueError(f"header is {address.header!r:.40}, and may have small letters, digits, - . and _")


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
