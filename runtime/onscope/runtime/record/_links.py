"""`links` of a manifest: data sets outside of the recording that hold its raw frames.

Both the path from the recording and the whole one are kept: the two may be moved together, or the recording alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._elsewhere import SavedElsewhere


def add_link(manifest: dict[str, Any], saved: SavedElsewhere, folder: Path) -> None:
    """Enter where raw frames are, once."""
    links = manifest.setdefault("links", [])
    entry = {"kind": saved.kind, "by": saved.by, "path": None, "from_here": None}
    if saved.path is not None:
        entry |= {"path": str(saved.path), "from_here": _from(folder, saved.path)}
    if entry not in links:
        links.append(entry)


def read_links(manifest: Mapping[str, Any], folder: Path) -> list[SavedElsewhere]:
    """The data sets, at the path that is there: from the recording first, else the whole one, whether there or not."""
    found = []
    for entry in manifest.get("links", ()):
        near = None if entry["from_here"] is None else Path(os.path.normpath(folder.absolute() / entry["from_here"]))
        far = None if entry["path"] is None else Path(entry["path"])
        found.append(SavedElsewhere(entry["kind"], near if near is not None and near.exists() else far, entry["by"]))
    return found


def are_links(links: object) -> bool:
    """Whether this is what `links` may be."""
    return isinstance(links, list) and all(
        isinstance(entry, dict)
        and all(isinstance(entry.get(name), str) for name in ("kind", "by"))
        and all(isinstance(entry.get(name), (str, type(None))) for name in ("path", "from_here"))
        for entry in links
    )


def _from(folder: Path, path: Path) -> str | None:
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:  # another drive
        return None
