"""The folder of a recording as a collection of OME-Zarr images, which viewers open as one.

Layout "bioformats2raw" 3: https://ngff.openmicroscopy.org/0.5/#bf2raw
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._errors import RecordError
from ._files import write_json

SUFFIX = ".ome.zarr"
VERSION = "0.5"


def write_collection(folder: Path, schema: int, images: Sequence[Mapping[str, Any]] = ()) -> None:
    """List the images of a manifest, raw ones first; labels belong to their image. `schema` is the recording's layout.

    A folder without images of OME-Zarr is a plain group: a collection must have one. Raises RecordError.
    """
    raw_first = sorted(images, key=lambda entry: entry["role"] != "raw")
    paths = [entry["path"] for entry in raw_first if entry["path"].endswith(SUFFIX) and "/" not in entry["path"]]
    layout = {"ome": {"version": VERSION, "bioformats2raw.layout": 3}} if paths else {}
    series = folder / "OME" / "zarr.json"
    try:
        if paths:
            series.parent.mkdir(exist_ok=True)
            write_json(series, _group({"ome": {"version": VERSION, "series": paths}}))
        write_json(folder / "zarr.json", _group({**layout, "onscope": {"schema": schema}}))
    except OSError as error:
        raise RecordError(
            f"the list of images could not be written to {folder} ({error.strerror}): choose a folder on a disk with "
            "room that can be written to"
        ) from error


def _group(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"zarr_format": 3, "node_type": "group", "attributes": dict(attributes)}
