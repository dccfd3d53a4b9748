"""Drivers, engines, commands and packages are found by entry point and loaded only when asked for by name."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any

from ._errors import OnscopeError

HINTS = {
    "onscope.drivers": "pip install 'onscope[micromanager]' brings Micro-Manager",
    "onscope.engines": "`onscope doctor` lists what runs here",
    "onscope.packages": "reinstall onscope with its shipped packages",
    "onscope.rehearsals": "reinstall onscope with its drivers",
    "onscope.faults": "reinstall onscope with its drivers",
    "onscope.demos": "reinstall onscope with its shipped demonstrations",
    "onscope.commands": "`onscope --help` lists the commands",
}


def find(group: str) -> dict[str, EntryPoint]:
    """All entry points of a group by name; nothing is imported."""
    return {point.name: point for point in _installed(group)}


@cache
def _installed(group: str) -> EntryPoints:
    """Read once for the process: all distributions that are installed are looked at, which takes 10 ms and more."""
    return entry_points(group=group)


def load(group: str, name: str, error: type[OnscopeError]) -> Any:
    """Import the object that `name` stands for; raises `error` when there is none or its imports are missing."""
    known = find(group)
    if name not in known:
        kind = group.removeprefix("onscope.").removesuffix("s")
        raise error(f"found no {kind} named {name!r}, expected one of {', '.join(sorted(known))}: {HINTS[group]}")
    try:
        return known[name].load()
    except ImportError as missing:
        raise error(f"{name!r} needs {missing.name or missing}, which is not installed: {HINTS[group]}") from missing
