"""The harnesses by name. Each takes bytes, and raises for what must not be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .desk import Desking
from .guest import Hosting
from .plain import Account, Greeted, Unpack

Harness = Unpack | Account | Greeted | Hosting | Desking
HARNESSES: dict[str, Callable[[Path], Harness]] = {
    "unpack": Unpack,
    "session": Account,
    "greeting": Greeted,
    "guest": Hosting,
    "desk": Desking,
}
