"""The first line of a journal: which software, rules, limits and machine, and the moment on both clocks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..._clock import ClockPair
from .._limits import Limits
from ._lines import SCHEMA, Line
from ._plain import plain

MOST_RULES = 1 << 20
"""Characters of a rule file that are kept; its sha256 is that of all of it."""


def head_line(
    clock: ClockPair,
    rules_name: str,
    rules: str,
    limits: Limits | None,
    armed: bool,
    packages: Mapping[str, str],
    notes: Mapping[str, Any],
) -> Line:
    """It as JSON can hold it."""
    from ...record import machine  # here: it imports what writes images

    return {
        "line": "journal",
        "schema": SCHEMA,
        "what": "proposals of rules, verdicts of the gate, commands to a microscope; times are monotonic ns",
        "onscope": _version(),
        "clock": {"wall_ns": clock.wall_ns, "monotonic_ns": clock.monotonic_ns},
        "armed": bool(armed),
        "rules": {
            "file": plain(str(rules_name)),
            "sha256": hashlib.sha256(rules.encode("utf-8", "surrogatepass")).hexdigest(),
            "text": rules[:MOST_RULES],
        },
        "limits": plain(limits),
        "packages": {str(stage): str(package) for stage, package in packages.items()},
        "machine": plain(machine()),
        "notes": plain(notes),
    }


def _version() -> str:
    try:
        return version("onscope")
    except PackageNotFoundError:
        return ""
