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
    not told the end of. `replaces` are such sessions of earlier links; `counters` count for all of them."""

    address: Address
    patience_s: float
    replaces: tuple[str, ...]
    warn: Callable[[str], object]
    heard: Callable[[Mapping[str, Any]], object]
    unended: Callable[[str], object]
    counters: LinkCounters
