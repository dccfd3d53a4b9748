"""What the user must be told while frames run: the worker died, it is back, a hook met an error."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ._clock import now_ns

Kind = Literal["preparing", "ready", "worker died", "worker back", "worker gone", "hook error"]
BAD: frozenset[Kind] = frozenset({"worker died", "worker gone", "hook error"})

log = logging.getLogger("onscope")


@dataclass(frozen=True, slots=True)
class Event:
    """One sentence for the user, its kind and its moment (monotonic ns)."""

    kind: Kind
    message: str
    at_ns: int = field(default_factory=now_ns)


Tell = Callable[[Event], object]


def to_log(event: Event) -> None:
    """The default: bad news as warnings, which Python prints unless told otherwise, the rest as information."""
    log.log(logging.WARNING if event.kind in BAD else logging.INFO, "%s: %s", event.kind, event.message)
