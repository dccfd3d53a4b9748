"""Who may come in: versions, and the token."""

from __future__ import annotations

import functools
import hmac
import importlib.metadata
import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...worker import VERSION as WORKER_VERSION
from ..wire import LARGEST, PACK, VERSION, Pack, WireError, text, whole

MOST_REPLACED = 8


class Refused(Exception):
    """Why a PC is not let in, in words for its user."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a PC asks for: a new session, or to go on with one of which `got` messages came. `pack`: what the box may
    pack; `memory_bytes`: what its worker may take (0: as the box says)."""

    session: str
    got: int
    replaces: list[str]
    pack: Pack
    memory_bytes: int
    new: str = field(default_factory=lambda: secrets.token_hex(16))


def greeting(head: Mapping[str, Any], token: str) -> Greeting:
    """What a `hello` asks for; raises Refused or WireError."""
    if not hmac.compare_digest(text(head, "token").encode(), token.encode()):
        raise Refused("found another token, expected that of its address: copy it as `onscope serve` prints it")
    theirs = head.get("version"), head.get("worker_version")
    if theirs != (VERSION, WORKER_VERSION):
        raise Refused(
            f"found onscope {text(head, 'onscope')} (protocol {theirs[0]!r:.20}.{theirs[1]!r:.20}) on the PC, expected "
            f"protocol {VERSION}.{WORKER_VERSION} as of its onscope {_version()}: install the same version on both"
        )
    replaces = head.get("replaces", [])
    if not isinstance(replaces, list) or len(replaces) > MOST_REPLACED or not all(isinstance(s, str) for s in replaces):
        raise WireError("found earlier sessions that are no list of texts")
    if (mode := text(head, "pack")) not in PACK:
        raise WireError(f"found packing {mode!r:.40}, expected {', '.join(PACK)}")
    session = text(head, "session")
    got, memory_bytes = whole(head, "got", 0, LARGEST if session else 0), whole(head, "memory_bytes")
    return Greeting(session, got, replaces, mode, memory_bytes)


def welcome(session: str, got: int, *, resumed: bool) -> dict[str, Any]:
    """The answer to one who is let in."""
    told = {"host": platform.node()[:200], "onscope": _version(), "resumed": resumed}
    return {"kind": "welcome", "session": session, "got": got, **told}


@functools.cache
def _version() -> str:
    return importlib.metadata.version("onscope")
