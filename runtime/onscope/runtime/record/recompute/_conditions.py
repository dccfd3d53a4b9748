"""What must be the same for answers to be the same bit by bit: software and machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..provenance import RECKONING, versions, whole_machine


def differences(manifest: Mapping[str, Any]) -> list[str]:
    """What is not here as it was in the run, in words."""
    found = []
    then, now = manifest.get("versions") or {}, versions()
    for name in RECKONING:
        if then.get(name) != now.get(name):
            found.append(f"{name} {then.get(name) or 'not installed'} then, {now.get(name) or 'not installed'} now")
    machine_then, machine_now = manifest.get("machine") or {}, whole_machine()
    for name in ("cpu", "cores", "system", "gpus"):
        if machine_then.get(name) != machine_now.get(name):
            found.append(f"{name} {_words(machine_then.get(name))} then, {_words(machine_now.get(name))} now")
    return found


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(each.get("name")) if isinstance(each, Mapping) else str(each) for each in value) or "none"
    return "unknown" if value is None else str(value)
