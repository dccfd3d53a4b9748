"""Who can be told: checked when the limits are read, not when something has to be said."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import urlsplit

from ..._errors import RuleError

LOCAL = "localhost"
SHELL_SUFFIXES = (".bat", ".cmd")
"""Windows gives the arguments of these to a shell."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A program that listens on this machine: `host` is localhost or an address of the loopback."""

    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class CommandTarget:
    """A program and its first arguments; the words become the last one."""

    arguments: tuple[str, ...]


def target_of(name: str, words: Sequence[str]) -> Webhook | CommandTarget:
    """A target as the limits hold it: an address, or a program with its arguments. Raises RuleError for neither."""
    if isinstance(words, str) or not words or not all(isinstance(each, str) and "\0" not in each for each in words):
        raise RuleError(
            f"found {words!r} as the target {name!r}, expected one address, or a program and its arguments: give a list"
        )
    if "://" in words[0]:
        if len(words) > 1:
            raise RuleError(f"found {len(words)} words as the webhook {name!r}, expected its address alone")
        return _webhook(name, words[0])
    if not words[0].strip() or PurePath(words[0]).suffix.lower() in SHELL_SUFFIXES:
        raise RuleError(
            f"found {words[0]!r} as the program of the target {name!r}, expected one that runs without a shell: name "
            "the program itself"
        )
    return CommandTarget(tuple(words))


def _webhook(name: str, address: str) -> Webhook:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        host, port, parts = "", 80, urlsplit("http:")
    clean = all("!" <= each <= "~" for each in address) and parts.username is None and not parts.fragment
    if parts.scheme != "http" or not clean or not is_loopback(host):
        raise RuleError(
            f"found {address[:200]!r} as the webhook {name!r}, expected http://127.0.0.1, http://[::1] or "
            "http://localhost: what leaves this machine is for the program behind such an address to decide"
        )
    return Webhook(host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def is_loopback(host: str) -> bool:
    """Whether this is localhost, or an address of the loopback."""
    try:
        return host == LOCAL or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
