"""The packages of a recording, found again: in a folder that is named, where they were, or among the shipped ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..._errors import OnscopeError
from ...package import Package

SHIPPED = re.compile(r"[a-z0-9][a-z0-9_-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
DEEPEST = 3
"""Folders below the one that is named in which packages are looked for."""
MOST = 1000


def find_packages(known: Mapping[str, Any], folders: Sequence[Path]) -> tuple[dict[str, Package], dict[str, str]]:
    """Packages by their sha256, of those that `known` (a manifest's `packages`) tells of; and why others lack.

    A package counts only when its sha256 is the recorded one; whatever lies where a path of the recording leads is
    opened as any package is, which reads no code.
    """
    found: dict[str, Package] = {}
    why: dict[str, str] = {}
    given = {package.package_sha256: package for package in _in(folders)}
    for sha256, entry in known.items():
        name = str(entry.get("name", "?")) if isinstance(entry, Mapping) else "?"
        if sha256 in given:
            found[sha256] = given[sha256]
            continue
        changed = False
        for package in _where_it_was(entry):
            if package.package_sha256 == sha256:
                found[sha256] = package
                break
            changed = True
        else:
            reason = "has changed since" if changed else "was not found"
            why[sha256] = f"the package {name} ({sha256[:12]}) {reason}: name its folder with --packages"
    return found, why


def _in(folders: Sequence[Path]) -> Iterator[Package]:
    for folder in folders:
        for depth in range(DEEPEST + 1):
            for n, description in enumerate(sorted(folder.glob("*/" * depth + "*rdf.yaml"))):
                if n == MOST:
                    break
                package = _opened(description)
                if package is not None:
                    yield package


def _where_it_was(entry: Any) -> Iterator[Package]:
    if not isinstance(entry, Mapping):
        return
    for place in dict.fromkeys(str(entry.get(name) or "") for name in ("folder", "origin")):
        if not place or place.startswith(("//", "\\")) or "\0" in place:  # never another computer's
            continue
        if not SHIPPED.fullmatch(place) and not Path(place).exists():
            continue
        package = _opened(place)
        if package is not None:
            yield package


def _opened(place: str | Path) -> Package | None:
    try:
        return Package.load(place)
    except (OnscopeError, OSError, ValueError):
        return None
