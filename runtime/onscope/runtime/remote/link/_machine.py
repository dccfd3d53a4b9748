"""What the box says of its own machine: which provider runs, that one is lost, what a GPU's clocks are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...clocks import Reading
from ...engines import is_choice
from ...worker import Message
from ..clock import OtherClock
from ..wire import WireError, text, whole
from ._words import cut, number, some

MOST_REASONS = 32
_PROVIDER = re.compile(r"[a-z0-9-]+(:[\w.=@%*/+-]*)?")
_NUMBERS = ("clock_mhz", "memory_clock_mhz", "temperature_c", "power_w")


def provider_of(told: Mapping[str, Any], asked: str) -> str:
    """The provider that a lane was opened on; raises WireError for another one than was asked for by name."""
    name = text(told, "provider")
    if not _PROVIDER.fullmatch(name):
        raise WireError(f"found the provider {name!r:.40}, expected a name as cpu or tensorrt:1")
    if not is_choice(asked) and name != asked:
        raise WireError(f"found a lane on {name}, expected {asked} as was asked for")
    return name


def tried(told: Mapping[str, Any]) -> dict[str, str]:
    """The provider that is being tried, if that is told."""
    return {"provider": provider_of(told, "auto")} if "provider" in told else {}


def lost(told: Mapping[str, Any]) -> str:
    """The provider of which the device is lost; "": none."""
    return text(told, "lost") if told.get("lost") else ""


def clocks(told: Mapping[str, Any], clock: OtherClock, came_ns: int) -> Message:
    """A reading of a GPU, at a moment of this machine's clock."""
    values = {name: None if told.get(name) is None else number(told[name], name) for name in _NUMBERS}
    reasons = tuple(cut(each, "a reason") for each in some(told.get("reasons", []), "reasons", MOST_REASONS))
    at_ns = clock.here(whole(told, "at_ns"), 0, came_ns)
    return {"kind": "clocks", **Reading(at_ns, **values, reasons=reasons).message()}
