"""Where a box is, and the key that lets one in: `tcp://host:7431#KEY`, or `tcp://host:7431?pack=never#KEY`."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from ..._errors import WorkerError

LOOPBACK = "127.0.0.1"
PORT = 7431
KEY_BYTES, TOKEN_BYTES = 32, 16

Pack = Literal["never", "always", "auto"]
PACK: tuple[Pack, ...] = get_args(Pack)
"""When pieces of frames and answers are packed: "auto" where they come sooner so."""


@dataclass(frozen=True, slots=True)
class Address:
    """A box's address. `public` is its public CURVE key and `token` what it asks for; both empty on loopback. `pack`:
    what is packed on the way there and back."""

    host: str
    port: int
    public: bytes = b""
    token: str = ""
    pack: Pack = "auto"

    @property
    def endpoint(self) -> str:
        """As ZeroMQ writes it, without the key."""
        return f"tcp://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def __str__(self) -> str:  # what messages, logs and recordings show: never the key
        return self.endpoint

    __repr__ = __str__


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A box's secret CURVE key and token, of which its address tells the public key and the token."""

    secret: bytes
    token: str

    @classmethod
    def of(cls, path: Path) -> Secret:
        """That of a file, which is made, for its owner alone, if it is not there. Raises WorkerError."""
        try:
            if not path.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                made = _text(_new_secret() + secrets.token_bytes(TOKEN_BYTES))
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(made + "\n")
            written = path.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise WorkerError(f"cannot use {path} as the box's key ({error}): name another file") from error
        secret, token = _parts(written, f"in {path}")
        return cls(secret, token)

    @property
    def public(self) -> bytes:
        import zmq

        return zmq.curve_public(_z85(self.secret))

    @property
    def z85(self) -> bytes:
        """The secret key as ZeroMQ takes it."""
        return _z85(self.secret)

    @property
    def key(self) -> str:
        """What an address ends with."""
        from zmq.utils import z85

        return _text(z85.decode(self.public) + bytes.fromhex(self.token))


def parse_address(words: str) -> Address:
    """`tcp://HOST:PORT#KEY`, with `?pack=MODE` before the `#` if asked for; raises WorkerError for anything else, or
    for a lack of the key."""
    expected = "expected tcp://HOST:PORT#KEY as `onscope serve` prints it"
    try:
        parts = urlsplit(words)
        host, port = parts.hostname or "", parts.port or PORT
    except ValueError as error:
        raise WorkerError(f"found the worker's address {words.partition('#')[0]!r}, {expected}") from error
    if parts.scheme != "tcp" or not host or parts.path or parts.username:
        raise WorkerError(f"found the worker's address {words.partition('#')[0]!r}, {expected}")
    pack = _pack(parts.query)
    if not parts.fragment:
        if not is_local(host):
            raise WorkerError(f"found the worker's address {words!r} without its key, {expected}")
        return Address(host, port, pack=pack)
    public, token = _parts(parts.fragment, "in the worker's address")
    return Address(host, port, _z85(public), token, pack)


def is_local(host: str) -> bool:
    """Whether an address is of this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _pack(query: str) -> Pack:
    name, _, mode = query.partition("=")
    if not query:
        return "auto"
    if name != "pack" or mode not in PACK:
        raise WorkerError(f"found {query!r:.60} in the worker's address, expected pack={', pack='.join(PACK)}")
    return mode


def _parts(words: str, where: str) -> tuple[bytes, str]:
    try:
        data = base64.b64decode(words.encode("ascii"), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        data = b""
    if len(data) != KEY_BYTES + TOKEN_BYTES:
        raise WorkerError(f"found a key {where} that is none, expected the 64 characters that `onscope serve` prints")
    return data[:KEY_BYTES], data[KEY_BYTES:].hex()


def _text(data: bytes) -> str:
    return base64.b64encode(data, altchars=b"-_").decode()


def _new_secret() -> bytes:
    import zmq
    from zmq.utils import z85

    return z85.decode(zmq.curve_keypair()[1])


def _z85(data: bytes) -> bytes:
    from zmq.utils import z85

    return z85.encode(data)
