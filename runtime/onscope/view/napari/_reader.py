"""napari's way to recordings: a folder with a recording.json is opened as layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

LayerData = tuple[Any, dict[str, Any], str]
MANIFEST = "recording.json"


def reader_of(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """What reads this path, called by napari; None for all but a recording's folder, or its recording.json."""
    folder = _folder(path)
    return None if folder is None else read_layers


def read_layers(path: str | Sequence[str]) -> list[LayerData]:
    """A recording as (data, arguments, type) of layers: raw frames and images of stages, labels, objects, tracks.

    Images are read when they are shown. Raises RecordError when the folder is no recording that can be read.
    """
    from onscope.runtime import RecordError
    from onscope.runtime.record import open_recording

    from ._recorded import image_layers
    from ._recorded_tables import table_layers

    folder = _folder(path)
    if folder is None:
        raise RecordError(f"found no {MANIFEST} in {path}, expected a recording of onscope: give its folder")
    run = open_recording(folder)
    images = image_layers(run)
    return [*images, *table_layers(run)]


def _folder(path: str | Sequence[str]) -> Path | None:
    if not isinstance(path, str):
        if len(path) != 1:
            return None
        path = path[0]
    given = Path(path)
    folder = given.parent if given.name == MANIFEST else given
    return folder if (folder / MANIFEST).is_file() else None
