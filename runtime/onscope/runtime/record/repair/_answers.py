"""Images of answers of a run that was cut off: as long as their raw image, with what says which elements are there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._finish_derived import finish_derived
from .._ome import list_labels
from .._present import NAME as PRESENT
from .._raw_axes import axes_for
from .._rows_of_images import elements
from ..recorder import rows_by_image


def unfinished(folder: Path, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Entries of the images of answers that were not closed."""
    return [
        entry
        for entry in manifest["images"]
        if entry["role"] == "derived"
        and (entry.get("frames") is None or not (folder / entry["path"] / PRESENT / "zarr.json").is_file())
    ]


def named_elements(entry: Mapping[str, Any], results: Any) -> Any:
    """Elements of an image (rows, axes) that the table `results` names; empty where it names none."""
    stage = entry.get("stage")
    if results is None or f"{stage}_array" not in results.column_names:
        return ()
    return elements(results, f"{stage}_", entry["path"])


def finish(folder: Path, entry: dict[str, Any], at: Any, frames: Any) -> None:
    """Close an image as an orderly end would have; its entry is told its counts. Raises RecordError."""
    rows = rows_by_image(frames).get(entry.get("raw") or "")
    raw = None if rows is None else axes_for(rows, entry.get("along", "t"), entry.get("channel"))
    entry |= finish_derived(folder, entry, at, raw)


def unlist_labels(folder: Path, entry: Mapping[str, Any]) -> None:
    """Take an image of labels that is gone out of the list beside it. Raises RecordError."""
    image, _, name = str(entry["path"]).rpartition("/labels/")
    listing = folder / image / "labels" / "zarr.json"
    if not image or not listing.is_file():
        return
    try:
        names = json.loads(listing.read_text(encoding="utf-8"))["attributes"]["ome"]["labels"]
    except (ValueError, KeyError, TypeError):
        return
    list_labels(folder / image, [each for each in names if each != name])
