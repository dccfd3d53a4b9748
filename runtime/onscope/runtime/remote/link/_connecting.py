"""Where a link goes, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...service import LinkCounters
from ..wire import Address


@dataclass(frozen=True, slots=True)
class Connecting:
    """Where to, and who is told: `warn` of cuts in words, `heard` of the box, `unended` of a session that the box was
    not told the end of. `memory_bytes` may the worker take (0: as the box says). `replaces` are such sessions of
    earlier links; `counters` count for all of them."""

    address: Address
    patience_s: float
    memory_bytes: int
    replaces: tuple[str, ...]
    warn: Callable[[str], object]
    heard: Callable[[Mapping[str, Any]], object]
    unended: Callable[[str], object]
    counters: LinkCounters
