"""Raw frames that the acquisition itself saves: a recording points to them instead of writing them twice.

Nothing of pycro-manager or pymmcore-plus is imported: what they are is seen by what they have.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._errors import SourceError

WRITERS = "pymmcore_plus.mda.handlers"
"""Where pymmcore-plus keeps its own writers; any other handler may be a display."""


@dataclass(frozen=True, slots=True)
class SavedElsewhere:
    """Where raw frames are saved: `kind` is "ndtiff", "ome-zarr", "ome-tiff" or "other", `by` the software.

    `path` is a folder or a file; None: it is known that they are saved, not where.
    """

    kind: str
    path: Path | None
    by: str


def saved_by(acquisition: Any) -> SavedElsewhere | None:
    """Where an acquisition saves its raw frames; None: nowhere (it keeps them in memory, or not at all).

    `acquisition` is a pycro-manager Acquisition, the path of a data set, or a pymmcore-plus core, whose run has begun.
    Raises SourceError for anything else.
    """
    if isinstance(acquisition, (str, os.PathLike)):
        path = Path(acquisition).expanduser().absolute()
        return SavedElsewhere(_kind(path), path, "")
    if hasattr(acquisition, "mda"):
        return _by_runner(acquisition.mda)
    if hasattr(acquisition, "_dataset_disk_location"):  # pycro-manager beside a Java core
        place = acquisition._dataset_disk_location if getattr(acquisition, "_directory", None) else None
        return None if place is None else SavedElsewhere("ndtiff", Path(str(place)).absolute(), "pycro-manager")
    if hasattr(acquisition, "get_dataset"):
        place = getattr(acquisition.get_dataset(), "path", None)  # a data set in memory has none
        return None if place is None else SavedElsewhere("ndtiff", Path(str(place)).absolute(), "pycro-manager")
    raise SourceError(
        f"found a {type(acquisition).__name__}, expected a pycro-manager Acquisition, a pymmcore-plus core or the path "
        "of a data set: name what saves the raw frames"
    )


def _by_runner(runner: Any) -> SavedElsewhere | None:
    """pymmcore-plus: its sink (a path, or ome-writers' settings), else one of its own writers among the outputs."""
    settings = getattr(getattr(runner, "_sink", None), "_settings", None)
    if settings is not None:
        kind = str(getattr(getattr(settings, "format", None), "name", ""))
        if kind == "scratch":
            return None
        path = Path(str(settings.output_path)).absolute()
        return SavedElsewhere(kind if kind in ("ome-zarr", "ome-tiff") else _kind(path), path, "pymmcore-plus")
    for handler in getattr(runner, "_handlers", ()):
        if type(handler).__module__.startswith(WRITERS):
            place = next((Path(value).absolute() for value in map(vars(handler).get, _PLACES) if value), None)
            return SavedElsewhere("other" if place is None else _kind(place), place, "pymmcore-plus")
    return None


_PLACES = ("_filename", "_directory")


def _kind(path: Path) -> str:
    name = path.name.lower()
    if name.endswith(".zarr"):
        return "ome-zarr"
    if name.endswith((".tif", ".tiff")):
        return "ome-tiff"
    return "ndtiff" if (path / "NDTiff.index").is_file() else "other"
