"""How a recording was found before anything was mended in it."""

from __future__ import annotations

from pathlib import Path

from ..._errors import RecordError
from .._checksums import read_checksums, sha256_of
from .._inventory import Inventory, take_inventory


def look(folder: Path) -> Inventory:
    """What lies in it. Raises RecordError when it cannot be read, or holds links: nothing is written through one."""
    try:
        found = take_inventory(folder)
    except OSError as error:
        raise RecordError(f"{folder} cannot be read ({error.strerror}): is its disk there?") from error
    if found.links:
        raise RecordError(
            f"found {found.links[0]} in {folder}, a link or no file, expected files of a recording: remove it"
        )
    return found


def sums_before(folder: Path, left: list[str]) -> tuple[dict[str, str] | None, dict[str, str]]:
    """The list of checksums (None: there is none), and those of it that do not hold any more, which `left` is told."""
    try:
        sums = read_checksums(folder)
    except RecordError as error:
        left.append(f"{error}: it is written anew")
        return None, {}
    changed: dict[str, str] = {}
    for name, expected in (sums or {}).items():
        path = folder / name
        if not path.is_file():
            left.append(f"{name} is missing: restore it from a copy")
            changed[name] = expected
        elif sha256_of(path) != expected:
            left.append(f"{name} has changed since it was written: restore it from a copy")
            changed[name] = expected
    return sums, changed
